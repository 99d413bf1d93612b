// SPDX-License-Identifier: Apache-2.0
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "fuzz/row_input.h"
#include "fuzz/targets.h"

namespace lockstep::testing {

namespace {

constexpr std::string_view kEntry = "PK\1\2";
constexpr std::size_t kEntryBytes = 46, kLocalBytes = 30;

RowInput::Settings settings_of(unsigned char choice) {
  RowInput::Settings settings{{"data.format", "npz"}};
  if ((choice & 1) != 0) settings.emplace_back("data.on_bad_row", "skip");
  if ((choice & 2) != 0) settings.emplace_back("data.weight", "0");
  if ((choice & 4) != 0) settings.emplace_back("data.standardize", "true");
  return settings;
}

std::size_t number(std::string_view text, std::size_t at, std::size_t bytes) {
  std::size_t value = 0;
  std::memcpy(&value, text.data() + at, bytes);
  return value;
}

// What there is of a member, inflated if need be.
std::string content_of(std::string_view archive, std::string_view entry) {
  const std::size_t header = number(entry, 42, 4);
  if (header + kLocalBytes > archive.size()) return {};
  const std::size_t begin =
      header + kLocalBytes + number(archive, header + 26, 2) + number(archive, header + 28, 2);
  const std::string_view packed = archive.substr(std::min(begin, archive.size()), number(entry, 20, 4));
  if (number(entry, 10, 2) == 0) return std::string(packed);
  std::array<char, 4096> content{};
  z_stream inflater{};
  inflateInit2(&inflater, -MAX_WBITS);
  inflater.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  inflater.avail_in = static_cast<uInt>(packed.size());
  inflater.next_out = reinterpret_cast<Bytef*>(content.data());
  inflater.avail_out = static_cast<uInt>(std::min(content.size(), number(entry, 24, 4)));
  inflate(&inflater, Z_SYNC_FLUSH);
  inflateEnd(&inflater);
  return {content.data(), inflater.total_out};
}

}  // namespace

// A byte that says how, then an archive, in whose directory the check sums are put right.
bool fuzz_npz(std::string_view input) {
  static RowInput rows(settings_of);
  const unsigned char choice = take_byte(input);
  std::string archive(input);
  for (std::size_t at = archive.find(kEntry); at < archive.size() && archive.size() - at >= kEntryBytes;
       at = archive.find(kEntry, at + 1)) {
    const std::string content = content_of(archive, std::string_view(archive).substr(at));
    const auto sum = static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
    std::memcpy(archive.data() + at + 16, &sum, sizeof sum);
  }
  return rows.accepts(archive, choice & 7, (choice & 8) != 0);
}

}  // namespace lockstep::testing
