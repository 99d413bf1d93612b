// SPDX-License-Identifier: Apache-2.0
#include "data/labels_file.h"

#include <filesystem>

namespace lockstep {

std::string find_labels_file(const std::string& source,
                             const std::vector<std::pair<std::string, std::string>>& replacements) {
  const std::filesystem::path path(source);
  const std::string before = path.filename().string();
  std::string name = before;
  for (const auto& [from, to] : replacements) {
    const auto at = name.find(from);
    if (at != std::string::npos) name.replace(at, from.size(), to);
  }
  if (name == before) return {};
  const auto beside = [&](const std::string& other) { return (path.parent_path() / other).string(); };
  const bool is_zipped = name.size() > 3 && name.substr(name.size() - 3) == ".gz";
  const std::string twin = is_zipped ? name.substr(0, name.size() - 3) : name + ".gz";
  for (const std::string& candidate : {beside(name), beside(twin)})
    if (std::filesystem::exists(candidate)) return candidate;
  return {};
}

}  // namespace lockstep
