// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lockstep/core/options.h"
#include "lockstep/core/view.h"

namespace lockstep {

/// Where the rows of a source are cached, and what tells whether the file there is still theirs.
struct CachePlace {
  std::filesystem::path path;
  /// Paths, sizes, times of change in ns and hash of the files (of samples; of all bytes where
  /// data.cache_check = "full"), and every option under data. that could change a row.
  std::string identity;
};

/// Beside the folder of the runs: "runs" → "runs.cache".
std::filesystem::path cache_directory(const std::filesystem::path& run_root);

/// `directory` is where data.cache = "auto" and "on" put the file. Throws Error(kData) for a file that cannot
/// be read.
CachePlace cache_place(const std::vector<std::string>& files, const std::string& format,
                       Index unlabelled_features, const Options& options,
                       const std::filesystem::path& directory);

/// Whether data.cache asks for a cache of these text files: "auto" from 16 MiB on.
bool wants_cache(const std::vector<std::string>& files, const Options& options,
                 const std::filesystem::path& directory);

}  // namespace lockstep
