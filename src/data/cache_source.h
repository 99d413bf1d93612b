// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/cache_file.h"
#include "lockstep/comm/communicator.h"
#include "lockstep/core/options.h"
#include "lockstep/data/format.h"

namespace lockstep {

/// Files of one source, and where their rows may be cached.
struct CacheRequest {
  const Format& format;
  std::string format_name;
  std::string source;
  std::vector<std::string> files;
  const Options& options;
  std::filesystem::path directory;  ///< of data.cache = "auto" and "on"; empty: there is none
  std::size_t piece_bytes = 0;      ///< see ImportRequest
};

/// Collective. The rows of the source as a cache file that all ranks see; one that is missing or stale is
/// made. Null: the rows are to be read from the source, with the reason in `why_not` if the cache was asked
/// for. What the options say, rank 0 decides. Throws AgreedError for rows that are wrong.
std::unique_ptr<CacheFile> open_cache(Communicator& communicator, const CacheRequest& request,
                                      std::string& why_not);

}  // namespace lockstep
