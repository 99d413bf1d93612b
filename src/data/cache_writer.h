// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/cache_layout.h"
#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Writes one cache file by the ranks of the first machine together; it appears whole or not at all. Ranks
/// put rows at their places in any order; check sums are formed while what was written is still in memory.
/// The rows of a sparse file, which lie behind entries of unknown number, wait in a second file. Errors are
/// Error(kOutput).
class CacheWriter {
 public:
  /// Collective. `header` says kind, features, label_bytes and has_weights. Throws AgreedError where the file
  /// cannot be made, or not all ranks of the job see it.
  CacheWriter(Communicator& communicator, std::filesystem::path path, const CacheHeader& header);
  ~CacheWriter();
  CacheWriter(const CacheWriter&) = delete;
  CacheWriter& operator=(const CacheWriter&) = delete;

  /// Ranks that write are [0, writers): those of rank 0's machine.
  int writers() const { return writers_; }
  const CacheHeader& header() const { return header_; }

  /// Records of rows from `row` on, as they stand in the file.
  void write_rows(Index row, const std::vector<char>& records);
  /// Entries from number `entry` on.
  void write_entries(std::uint64_t entry, const std::vector<char>& entries);
  /// Everything before this row and entry was written by its rank before the last collective call.
  void advance(Index rows, std::uint64_t entries);
  /// Collective. Ends a file of so many rows and entries.
  void finish(Index rows, std::uint64_t entries, const CacheMetadata& metadata);

 private:
  void create();
  void open_as_told(const std::string& name);
  void write(int descriptor, std::uint64_t at, const void* data, std::size_t size);
  void read(int descriptor, std::uint64_t at, void* data, std::size_t size);
  void hash_until(std::uint64_t end, std::uint64_t data_end);
  void copy_rows();
  std::vector<std::uint64_t> gather_checksums();
  void commit();
  [[noreturn]] void fail(const std::string& action) const;

  Communicator& communicator_;
  std::filesystem::path path_;
  std::string temporary_;
  CacheHeader header_;
  int writers_ = 1;
  int descriptor_ = -1, rows_descriptor_ = -1;
  std::uint64_t hashed_ = 0;                                        // blocks
  std::vector<std::pair<std::uint64_t, std::uint64_t>> checksums_;  // of the blocks that fall to this rank
  std::vector<char> buffer_;
};

}  // namespace lockstep
