// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "comm/rank_record.h"

namespace lockstep {

/// progress.json of a run directory, for whoever watches the run from outside: the step and phase rank 0 is
/// in, its process and host, and the generation of the job. It appears whole or not at all; it is not synced.
/// {"generation": 3, "step": 812, "phase": "compute", "pid": 4711, "host": "here", "moves": 99}; generation
/// may be null. `moves` counts signs of life inside a phase.
class ProgressFile {
 public:
  explicit ProgressFile(std::filesystem::path path) : path_(std::move(path)) {}

  /// Why it could not be written, for the user, the first time; "" otherwise.
  std::string write(std::optional<std::int64_t> generation, const RankRecord::Reading& now,
                    const std::string& host);

 private:
  std::filesystem::path path_;
  bool has_failed_ = false;
};

}  // namespace lockstep
