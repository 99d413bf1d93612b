// SPDX-License-Identifier: Apache-2.0
#include "fuzz/tensor_input.h"

#include <algorithm>
#include <cstdint>

#include "core/hash.h"

namespace lockstep::testing {

std::string tensor_file(std::string_view input) {
  if (!input.starts_with('{')) return std::string(input);
  const std::size_t end = std::min(input.find('\n'), input.size());
  std::string header(input.substr(0, end));
  const std::string_view data = input.substr(std::min(end + 1, input.size()));
  constexpr std::string_view kKey = "\"checksum\":\"";
  const std::size_t at = header.find(kKey);
  if (at != std::string::npos && at + kKey.size() + 32 <= header.size()) {
    header.replace(at + kKey.size(), 32, 32, '0');
    Hash hash;
    hash.add(header);
    hash.add(data.data(), data.size());
    header.replace(at + kKey.size(), 32, hash.hex());
  }
  const std::uint64_t size = header.size();
  std::string file(reinterpret_cast<const char*>(&size), sizeof size);
  return file.append(header).append(data);
}

}  // namespace lockstep::testing
