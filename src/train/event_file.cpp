// SPDX-License-Identifier: Apache-2.0
#include "train/event_file.h"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

#include "lockstep/core/error.h"

namespace lockstep {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  constexpr std::uint32_t kPolynomial = 0x82F6'3B78;  // reflected
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit)
      remainder = (remainder & 1) != 0 ? (remainder >> 1) ^ kPolynomial : remainder >> 1;
    table[byte] = remainder;
  }
  return table;
}

template <class Number>
std::string bytes_of(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

// Data that hold their own check sum would else get the same one.
std::string masked_crc(std::string_view bytes) {
  return bytes_of(std::rotr(crc32c(bytes), 15) + 0xA282'EAD8U);
}

std::string varint(std::uint64_t number) {
  std::string bytes;
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(0x80 | (number & 0x7F));
  return bytes + static_cast<char>(number);
}

// A field of protocol buffers: its number and how it is written, then the value.
enum Wire { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
std::string key(int field, Wire wire) {
  return varint(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(wire));
}
std::string text_field(int field, std::string_view text) {
  return key(field, kBytes) + varint(text.size()) + std::string(text);
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr auto kTable = make_crc_table();
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
  return ~crc;
}

// Event: wall_time = 1 (double), step = 2 (int64), file_version = 3, summary = 5.
EventFile::EventFile(const std::filesystem::path& path, double wall_time) : path_(path) {
  file_.open(path, std::ios::binary);
  if (!file_) throw Error(ExitCode::kOutput, path.string() + ": cannot be written: " + std::strerror(errno));
  add_record(key(1, kFixed64) + bytes_of(wall_time) + text_field(3, "brain.Event:2"));
}

// Summary: value = 1; Summary.Value: tag = 1, simple_value = 2 (float).
void EventFile::add_scalar(std::string_view tag, std::int64_t step, double value, double wall_time) {
  const std::string scalar = text_field(1, tag) + key(2, kFixed32) + bytes_of(static_cast<float>(value));
  add_record(key(1, kFixed64) + bytes_of(wall_time) + key(2, kVarint) +
             varint(static_cast<std::uint64_t>(step)) + text_field(5, text_field(1, scalar)));
}

void EventFile::add_record(const std::string& data) {
  const std::string length = bytes_of(static_cast<std::uint64_t>(data.size()));
  file_ << length << masked_crc(length) << data << masked_crc(data);
}

void EventFile::flush() {
  if (!file_.flush())
    throw Error(ExitCode::kIo, path_.string() + ": cannot be written: " + std::strerror(errno));
}

}  // namespace lockstep
