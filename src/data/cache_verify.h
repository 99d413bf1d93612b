// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/cache_file.h"

namespace lockstep {

/// Reads all of a cache file: every block has its check sum, every row is well-formed, and all rows together
/// have the hash that the metadata tells. Throws Error(kData).
void verify_cache(const CacheFile& file);

}  // namespace lockstep
