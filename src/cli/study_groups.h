// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "cli/study_file.h"
#include "lockstep/comm/communicator.h"
#include "lockstep/plugins.h"

namespace lockstep {

/// Which members a group of ranks trains, by their numbers in the plan.
using GroupMembers = std::vector<std::vector<std::size_t>>;

/// Deals the members on `ranks` ranks that are still to be run out to `groups` groups: small batches first,
/// which take longest to anywhere, each to the next group in turn.
GroupMembers deal_members(const Study& study, int ranks, int groups);

/// Collective. Trains the members of a study within the ranks of one job: for each number of ranks in turn as
/// many groups of neighbouring ranks as there is room for, each training its share of the members one after
/// the other. Returns false where a signal asked to stop. Throws Error(kConfig) where a member wants more
/// ranks than there are.
bool train_in_groups(Study& study, const std::filesystem::path& folder, const Plugins& plugins,
                     Communicator& communicator);

}  // namespace lockstep
