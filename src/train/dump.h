// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "train/observer.h"

namespace lockstep {

/// What a run leaves of a step that ended it, in dump/step-N of the run directory: config.toml, a checkpoint
/// of the state before the step in checkpoints/, and dump.json, which says what was wrong.
///
///   dump.json   what, step, epoch, first, last (the batch: these positions of the epoch), loss, detail as in
///               TroubleReport; loss as a text, since it may be infinite

/// "dump/step-N".
std::string dump_name(Index step);
std::string dump_json(const TroubleReport& trouble);
/// Throws Error(kData).
TroubleReport read_dump(const std::filesystem::path& folder);

/// The newest dump of a run; the folder itself if it is a dump; empty: there is none.
std::filesystem::path find_dump(const std::filesystem::path& run_or_dump);

}  // namespace lockstep
