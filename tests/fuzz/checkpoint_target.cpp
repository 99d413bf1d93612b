// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include <algorithm>
#include <vector>

#include "core/hash.h"
#include "fuzz/input_file.h"
#include "fuzz/targets.h"
#include "train/checkpoint_manifest.h"

namespace lockstep::testing {

namespace {

constexpr std::size_t kDigits = 32;

// The text behind the first `key`, where one stands there.
void set_hash(std::string& text, const std::string& key, const std::string& hash) {
  const std::size_t at = text.find(key);
  if (at != std::string::npos && at + key.size() + kDigits <= text.size())
    text.replace(at + key.size(), kDigits, hash);
}

// With the hashes of its blocks.
std::string part_file(std::string_view data, std::string* hash) {
  std::vector<std::uint64_t> hashes;
  for (std::size_t begin = 0; begin < data.size(); begin += kCheckpointBlock) {
    const std::string_view block = data.substr(begin, kCheckpointBlock);
    hashes.push_back(hash_bits(block.data(), block.size(), 0));
  }
  const std::size_t bytes = hashes.size() * sizeof(std::uint64_t);
  *hash = hash_hex(hashes.data(), bytes);
  return std::string(data).append(reinterpret_cast<const char*>(hashes.data()), bytes);
}

}  // namespace

// A checkpoint folder: the first line is its manifest, the rest the floats of its first part. The hashes of
// both are put right, or nothing behind them would be reached.
bool fuzz_checkpoint(std::string_view input) {
  static const InputFile manifest("manifest.json");
  static const InputFile part("part-000.bin", manifest);
  const std::size_t end = std::min(input.find('\n'), input.size());
  std::string text(input.substr(0, end)), hash;
  part.write(part_file(input.substr(std::min(end + 1, input.size())), &hash));
  set_hash(text, "\"hash\": \"", hash);
  set_hash(text, "\"checksum\": \"", std::string(kDigits, '0'));
  set_hash(text, "\"checksum\": \"", hash_hex(text.data(), text.size()));
  manifest.write(text);
  return is_accepted([&] { parse_run_state(read_checkpoint(manifest.folder()).metadata.at("state")); });
}

}  // namespace lockstep::testing
