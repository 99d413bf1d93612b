// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// study: one experiment under all combinations of batches, rates, numbers of ranks, seeds and any other keys
/// ([study]). Every member is a run directory under members/; study.json (study_file.h) says what all came
/// to.
void add_study_command(std::vector<Command>* rows);

}  // namespace lockstep
