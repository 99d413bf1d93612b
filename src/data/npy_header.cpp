// SPDX-License-Identifier: Apache-2.0
#include "data/npy_header.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr std::size_t kMostHeaderBytes = std::size_t{1} << 20;  // NumPy itself reads 10,000

[[noreturn]] void fail(const ByteSource& source, const std::string& what) {
  throw Error(ExitCode::kData, source.path() + ": " + what);
}

// What follows "'key':" in the header's dictionary.
std::string_view entry(const ByteSource& source, std::string_view header, const std::string& key) {
  const auto at = header.find("'" + key + "'");
  const auto colon = at == std::string_view::npos ? at : header.find(':', at);
  if (colon == std::string_view::npos) fail(source, "the NPY header has no " + key);
  std::string_view rest = header.substr(colon + 1);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

void read_type(const ByteSource& source, std::string_view text, NpyHeader& header) {
  const std::string_view type = text.size() > 2 ? text.substr(1, text.find('\'', 1) - 1) : "";
  const std::string known = "|u1|i1|b1<f4<f8<i2<i4<i8<u2<u4<u8";
  const auto at = known.find(type);
  if (type.size() != 3 || at == std::string::npos || at % 3 != 0)
    fail(source, "values of type " + std::string(type) +
                     " cannot be read, little-endian f4, f8, integers or booleans were expected");
  header.kind = type[1];
  header.size = static_cast<std::size_t>(type[2] - '0');
}

void read_shape(const ByteSource& source, std::string_view text, NpyHeader& header) {
  std::size_t total = header.size;
  const auto close = text.find(')');
  if (text.empty() || text[0] != '(' || close == std::string_view::npos)
    fail(source, "the NPY header has no shape");
  const char* at = text.data() + 1;
  const char* const end = text.data() + close;
  while (at < end) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    Index size = 0;
    const auto [rest, error] = std::from_chars(at, end, size);
    if (error != std::errc{} || size < 0)
      fail(source, "the NPY header has a shape that is not a list of sizes");
    if (size == 0) fail(source, "has no rows");
    if (total > source.bytes_left() / static_cast<std::size_t>(size))
      fail(source, "truncated: the NPY header announces more values than the file can hold");
    total *= static_cast<std::size_t>(size);
    header.shape.push_back(size);
    at = rest;
  }
}

template <class T>
double read_as(const unsigned char* bytes) {
  T value{};
  std::memcpy(&value, bytes, sizeof(T));
  return static_cast<double>(value);
}

}  // namespace

Index NpyHeader::cols() const {
  Index product = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) product *= shape[i];
  return product;
}

double NpyHeader::value(const unsigned char* bytes) const {
  if (kind == 'f') return size == 4 ? read_as<float>(bytes) : read_as<double>(bytes);
  const bool is_signed = kind == 'i';
  switch (size) {
    case 1:
      return is_signed ? read_as<std::int8_t>(bytes) : read_as<std::uint8_t>(bytes);
    case 2:
      return is_signed ? read_as<std::int16_t>(bytes) : read_as<std::uint16_t>(bytes);
    case 4:
      return is_signed ? read_as<std::int32_t>(bytes) : read_as<std::uint32_t>(bytes);
    default:
      return is_signed ? read_as<std::int64_t>(bytes) : read_as<std::uint64_t>(bytes);
  }
}

NpyHeader read_npy_header(ByteSource& source) {
  std::array<unsigned char, 8> magic{};
  source.read_exactly(magic.data(), magic.size(), "the NPY header");
  if (std::memcmp(magic.data(), "\x93NUMPY", 6) != 0) fail(source, "not an NPY file");
  if (magic[6] < 1 || magic[6] > 3)
    fail(source, "NPY version " + std::to_string(magic[6]) + ", 1 to 3 were expected");
  std::array<unsigned char, 4> length{};
  source.read_exactly(length.data(), magic[6] == 1 ? 2 : 4, "the NPY header");
  const std::size_t size = length[0] | static_cast<std::size_t>(length[1]) << 8 |
                           static_cast<std::size_t>(length[2]) << 16 |
                           static_cast<std::size_t>(length[3]) << 24;
  if (size > source.bytes_left()) fail(source, "truncated: the NPY header is longer than the file");
  if (size > kMostHeaderBytes) fail(source, "the NPY header is longer than 1 MiB");
  std::string text(size, ' ');
  source.read_exactly(text.data(), size, "the NPY header");
  NpyHeader header;
  read_type(source, entry(source, text, "descr"), header);
  read_shape(source, entry(source, text, "shape"), header);
  if (header.shape.size() > 1 && entry(source, text, "fortran_order").substr(0, 4) == "True")
    fail(source, "the array is in Fortran order; save numpy.ascontiguousarray(array)");
  return header;
}

}  // namespace lockstep
