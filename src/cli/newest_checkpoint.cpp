// SPDX-License-Identifier: Apache-2.0
#include "cli/newest_checkpoint.h"

#include <algorithm>
#include <exception>

#include "train/checkpoint.h"
#include "train/cross_validation.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

NewestCheckpoint newest_of(const fs::path& run, int fold) {
  const std::vector<fs::path> all = list_checkpoints(run);
  if (all.empty()) return {};
  return {fold, CheckpointName::parse(all[0].filename().string())->step};
}

}  // namespace

NewestCheckpoint newest_checkpoint(const fs::path& run) {
  try {
    NewestCheckpoint newest = newest_of(run, -1);
    for (int fold = 0, folds = folds_of(run); fold < folds; ++fold)
      newest = std::max(newest, newest_of(run / ("fold-" + std::to_string(fold)), fold));
    return newest;
  } catch (const std::exception&) {  // ranks or a user change it at this moment
    return {};
  }
}

}  // namespace lockstep
