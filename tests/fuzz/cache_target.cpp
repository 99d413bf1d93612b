// SPDX-License-Identifier: Apache-2.0
#include <xxhash.h>

#include <cstring>

#include "data/cache_file.h"
#include "data/cache_verify.h"
#include "fuzz/row_input.h"
#include "fuzz/targets.h"

namespace lockstep::testing {

namespace {

RowInput::Settings settings_of(unsigned char choice) {
  RowInput::Settings settings;
  if ((choice & 1) != 0) settings.emplace_back("data.standardize", "true");
  if ((choice & 2) != 0) settings.emplace_back("data.missing", "indicator");
  if ((choice & 4) != 0) settings.emplace_back("data.categories", "onehot");
  if ((choice & 8) != 0) settings.emplace_back("data.valid", "split:0.5");
  if ((choice & 16) != 0) settings.emplace_back("data.memory_limit", "100KB");
  return settings;
}

template <class Value>
std::string bytes_of(const Value& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

void fill_page(std::string& file) {
  file.resize(round_up_page(file.size()));
}

// Check sums and the length of the metadata are made right, so that what they protect is looked at.
std::string cache_file(CacheHeader header, std::string_view rows, std::string_view metadata) {
  std::string file(kCachePage, '\0');
  file += rows;
  fill_page(file);
  std::string sums;
  for (std::size_t at = kCachePage; at < file.size(); at += kCacheBlock)
    sums += bytes_of(XXH3_64bits(file.data() + at, std::min<std::size_t>(kCacheBlock, file.size() - at)));
  header.checksums_hash = XXH3_64bits(sums.data(), sums.size());
  header.metadata_bytes = metadata.size();
  header.metadata_hash = XXH3_64bits(metadata.data(), metadata.size());
  file += sums;
  fill_page(file);
  file += metadata;
  const std::string start = bytes_of(header) + bytes_of(XXH3_64bits(&header, sizeof header));
  return file.replace(0, start.size(), start);
}

}  // namespace

// A byte that says how, a header, the bytes of rows in units of 16 behind how many, metadata.
bool fuzz_cache(std::string_view input) {
  static RowInput rows(settings_of);
  const unsigned char choice = take_byte(input);
  CacheHeader header;
  if (input.size() < sizeof header) return false;
  std::memcpy(static_cast<void*>(&header), input.data(), sizeof header);
  input.remove_prefix(sizeof header);
  const std::size_t size = std::min<std::size_t>(std::size_t{16} * take_byte(input), input.size());
  const std::string content = cache_file(header, input.substr(0, size), input.substr(size));
  const bool is_loaded = rows.accepts(content, choice & 31, (choice & 32) != 0);
  return is_accepted([&] { verify_cache(CacheFile(rows.path())); }) && is_loaded;
}

}  // namespace lockstep::testing
