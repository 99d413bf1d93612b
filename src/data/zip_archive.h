// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/byte_source.h"

namespace lockstep {

/// The directory of a zip archive, and its members' bytes: stored or deflated, below 4 GB. No size in it is
/// trusted. Throws Error(kData) that names the file, for zip64 too.
class ZipArchive {
 public:
  explicit ZipArchive(std::string path);

  struct Member {
    std::string name;
    bool is_deflated = false;
    std::uint32_t checksum = 0;  ///< CRC-32 of the inflated bytes
    std::uint64_t packed = 0;    ///< bytes in the archive
    std::uint64_t size = 0;      ///< inflated
    std::uint64_t header_at = 0;
  };
  const std::string& path() const { return path_; }
  /// In the order of the directory.
  const std::vector<Member>& members() const { return members_; }
  /// Called "archive[name]" in messages. Its check sum is verified with its last byte.
  ByteSource open(const Member& member) const;

 private:
  void read_directory(const std::string& tail, std::uint64_t tail_at);
  Member read_entry(const std::string& directory, std::size_t& at) const;
  [[noreturn]] void fail(const std::string& what) const;

  std::string path_;
  std::uint64_t file_bytes_ = 0;
  std::vector<Member> members_;
};

}  // namespace lockstep
