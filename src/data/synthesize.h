// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "data/cache_layout.h"
#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Collective. Writes the rows of a `demo:` source to a cache file, each rank its share, in constant memory.
/// The bytes are the same for any number of ranks. `kind` is that of dense rows.
void synthesize(Communicator& communicator, const std::string& source, CacheKind kind,
                const std::filesystem::path& path);

}  // namespace lockstep
