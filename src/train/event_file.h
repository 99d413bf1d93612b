// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace lockstep {

/// A TensorBoard event file of scalars. A record is its length (8 bytes), the masked CRC-32C of that, the
/// data and their masked CRC-32C; the data are an Event message of protocol buffers. Written by hand: it uses
/// six fields of three messages, for which the library and TensorFlow's message definitions would be more to
/// install than this is to read.
class EventFile {
 public:
  /// Throws Error(kOutput).
  explicit EventFile(const std::filesystem::path& path, double wall_time);

  void add_scalar(std::string_view tag, std::int64_t step, double value, double wall_time);
  /// Throws Error(kIo).
  void flush();

 private:
  void add_record(const std::string& data);

  std::filesystem::path path_;
  std::ofstream file_;
};

/// CRC-32C (Castagnoli) of some bytes.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace lockstep
