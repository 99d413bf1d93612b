// SPDX-License-Identifier: Apache-2.0
#include "data/source_files.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>

#include "data/numbers.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

bool exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

std::vector<std::string> matches_of(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t found{};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  if (paths.empty()) throw Error(ExitCode::kData, pattern + ": no file matches");
  std::sort(paths.begin(), paths.end());  // glob() sorts as the locale says
  return paths;
}

}  // namespace

std::vector<std::string> source_files(const std::string& source) {
  if (source.starts_with("demo:") || source.find_first_of(",*?[") == std::string::npos || exists(source))
    return {source};
  std::vector<std::string> files;
  for (std::size_t at = 0; at <= source.size();) {
    const std::size_t comma = std::min(source.find(',', at), source.size());
    const std::string part(trim(source.substr(at, comma - at)));
    at = comma + 1;
    if (part.empty()) continue;
    if (part.find_first_of("*?[") == std::string::npos || exists(part)) {
      files.push_back(part);
      continue;
    }
    for (std::string& path : matches_of(part)) files.push_back(std::move(path));
  }
  if (files.empty()) throw Error(ExitCode::kData, source + ": names no file");
  return files;
}

}  // namespace lockstep
