// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "train/observer.h"

namespace lockstep {

/// What a run leaves of a step that ended it, in dump/step-N of the run directory: state.safetensors, the
/// weights before the step with config and RunState as metadata, and dump.json, which says what was wrong:
/// what, step, epoch, first, last (the batch: these positions of the epoch), loss, detail as in
/// TroubleReport; loss as a text, since it may be infinite. The optimizer's state is not in it: the gradient
/// does not depend on it.

/// "dump/step-N".
std::string dump_name(Index step);
std::string dump_json(const TroubleReport& trouble);
void write_dump(const std::filesystem::path& folder, const std::string& config, const std::string& state,
                const std::vector<TensorView>& weights);
/// Throws Error(kData) where it is damaged or foreign.
TensorFile read_dumped_state(const std::filesystem::path& folder);
/// Throws Error(kData).
TroubleReport read_dump(const std::filesystem::path& folder);

/// The newest dump of a run; the folder itself if it is a dump; empty: there is none.
std::filesystem::path find_dump(const std::filesystem::path& run_or_dump);

}  // namespace lockstep
