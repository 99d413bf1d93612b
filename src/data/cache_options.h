// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/cache_file.h"
#include "lockstep/core/options.h"

namespace lockstep {

/// For a cache file that is a source by itself: its rows were made by the options of that time. Throws
/// Error(kConfig) where data.hash_bits or data.hash_seed ask for other ones, Error(kData) where a value is
/// missing and data.missing refuses that. Files that do not say whether one is are read for it.
void check_options(const CacheFile& file, const Options& options);

}  // namespace lockstep
