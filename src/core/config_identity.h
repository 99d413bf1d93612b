// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lockstep/core/options.h"

namespace lockstep {

/// Whether changing this key can change a bit of the model. The others may differ on resume:
/// run.* except run.seed, log.*, comm.* except comm.sparse, checkpoint.*, study.*, launch.*, train.budget,
/// train.time_limit, train.noise_every (but with batch = "auto"), train.audit, train.check_every,
/// train.on_disagree, and the paths data.train, data.valid, data.test, their labels and data.cache — what the
/// paths hold is compared by fingerprint instead, and data.valid = "split:…" by canonical_config().
bool determines_model(std::string_view key);

/// The keys and values that determine the model, one "key = value" a line, sorted by key. Keys the selection
/// does not read are left out.
std::string canonical_config(const Options& options);

/// The same of all keys the selection reads, those that do not determine the model too.
std::string whole_config(const Options& options);

/// XXH3-64 of canonical_config(): equal for two runs that train the same model on the same data.
std::uint64_t config_hash(const Options& options);

/// The first line in which two such texts differ: "there optim.l2 = 0.1, here optim.l2 = 0.2"; "" if none.
std::string first_difference(const std::string& theirs, const std::string& ours);

/// All of them, one a line: "  there optim.l2 = 0.1" or "  here optim.l2 = 0.2".
std::string all_differences(const std::string& theirs, const std::string& ours);

}  // namespace lockstep
