// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "cli/study_file.h"
#include "data/dataset.h"

namespace lockstep {

/// Fills in the share of the machine's limit that each member's steps reached: the time that its matrix
/// products or the memory need (find_step_limits(), measured on one rank), against its median step.
void add_limit_shares(Study& study, const Plugins& plugins, const Dataset& rows);

/// Writes landscape.json: trains the best member of full batches, of mini-batches and of single rows once
/// more, for the same steps to the same bits, and keeps their ways. They run beside each other under
/// landscape/ in `folder`. Members with other parameters than the first of them are left out. Returns false
/// where a signal asked to stop.
bool write_landscape(const Study& study, const Plugins& plugins, const Dataset& rows,
                     const std::filesystem::path& folder);

}  // namespace lockstep
