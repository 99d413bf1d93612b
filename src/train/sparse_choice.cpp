// SPDX-License-Identifier: Apache-2.0
#include "train/sparse_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "data/row_stream.h"
#include "lockstep/core/error.h"
#include "optim/lazy_penalty.h"

namespace lockstep {

namespace {

std::string why_not(const Options& options, const Model& model, const Dataset& train) {
  if (!train.info().is_sparse) return "the rows are dense";
  if (model.feature_tensor() != 0)
    return "model.name = \"" + options.text("model.name") +
           "\" does not say which weights belong to a feature";
  if (options.text("train.reduction") != "canonical")
    return "train.reduction = \"" + options.text("train.reduction") + "\" adds up whole gradients";
  if (std::string reason = LazyPenalty::why_not(options); !reason.empty()) return reason;
  if (options.text("train.average") != "none")
    return "train.average = \"" + options.text("train.average") + "\" averages all weights in every step";
  if (options.real("train.tolerance") > 0) return "train.tolerance looks at all weights in every step";
  return "";
}

// Over all rows, the same on any number of ranks.
Index count_entries(const Dataset& train, Communicator& communicator) {
  Index mine = 0;
  for (int shard = train.hosted().first; shard < train.hosted().last; ++shard)
    mine += entries_of(train, shard);
  std::vector<Index> all(static_cast<std::size_t>(communicator.size()));
  all_gather(communicator, &mine, sizeof mine, all.data());
  Index total = 0;
  for (const Index count : all) total += count;
  return total;
}

}  // namespace

SparseChoice choose_sparse(const Options& options, const Model& model, const Dataset& train, Index batch,
                           Communicator& communicator) {
  // What a sparse step does for an entry costs about what a dense one does for a handful of features.
  constexpr double kWorthIt = 4;
  const std::string& wish = options.text("comm.sparse");
  if (wish == "off" || (wish == "auto" && !train.info().is_sparse)) return {};
  const std::string reason = why_not(options, model, train);
  if (wish == "on" && !reason.empty())
    throw Error(ExitCode::kConfig,
                options.origin("comm.sparse") + ": comm.sparse = \"on\" cannot be: " + reason);
  const double entries = static_cast<double>(count_entries(train, communicator)) *
                         static_cast<double>(batch) / static_cast<double>(train.info().rows);
  const auto features = static_cast<double>(train.info().features);
  if (wish == "auto" && kWorthIt * entries > features) return {};
  if (!reason.empty()) return {false, "gradients are dense though rows are sparse: " + reason};
  return {true, fmt::format("gradients are sparse: a batch has about {:.0f} entries for {:.0f} features",
                            entries, features)};
}

}  // namespace lockstep
