// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lockstep/core/view.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// A cache file: rows of one source in the order of its files, whatever shards and splits are made of them.
/// All numbers are little-endian; sections start at multiples of 4,096 bytes, gaps are zeros.
///
///   file      = header (4,096 bytes) [entries] rows checksums metadata
///   header    = CacheHeader, XXH3-64 of it, zeros
///   rows      = rows × row
///   row       = dense: features[D] label [weight]          features: float32, float16 or bytes
///             | sparse: end:u64 label [weight]             entries [end of the row before, end) are its own
///   entries   = entry*;  entry = column:u32 value:float32  columns as in the file, ascending in a row
///   label     = float32 or float64 (label_bytes): a number; or a NaN whose lowest 22 (32) bits are the place
///               of a text in "label_texts" of the metadata
///   weight    = float32
///   checksums = XXH3-64 of every 16,384 bytes of [4096, checksums_at); the last may be of fewer
///   metadata  = JSON, see CacheMetadata; nothing follows
///
/// In Python: h = np.fromfile(f, "<u8", 16); np.memmap(f, np.dtype([("x", "<f4", D), ("label", "<f4")]), "r",
/// int(h[5]), int(h[2])) are the dense rows.
enum class CacheKind : std::uint32_t { kFloat32 = 0, kFloat16 = 1, kBytes = 2, kSparse = 3 };

struct CacheHeader {
  char magic[8] = {'L', 'S', 'T', 'P', 'R', 'O', 'W', 'S'};
  std::uint32_t version = 1;
  CacheKind kind = CacheKind::kFloat32;
  std::uint64_t rows = 0;      ///< N
  std::uint64_t features = 0;  ///< D; sparse: 0 where only the last row tells
  std::uint32_t label_bytes = 4;
  std::uint32_t has_weights = 0;
  std::uint64_t rows_at = 0;     ///< all places count from the start of the file
  std::uint64_t entries_at = 0;  ///< 0: none
  std::uint64_t entries = 0;
  std::uint64_t checksums_at = 0;
  std::uint64_t metadata_at = 0;
  std::uint64_t metadata_bytes = 0;
  std::uint64_t metadata_hash = 0;   ///< XXH3-64
  std::uint64_t checksums_hash = 0;  ///< XXH3-64 of the section
};

inline constexpr std::uint64_t kCachePage = 4096;
inline constexpr std::uint64_t kCacheBlock = 16384;  ///< bytes with one check sum
inline constexpr std::size_t kCacheEntryBytes = 8;

constexpr std::uint64_t round_up_page(std::uint64_t bytes) {
  return (bytes + kCachePage - 1) / kCachePage * kCachePage;
}

/// Bytes of the features, or of `end`, of a row.
std::uint64_t cache_row_label_at(const CacheHeader& header);
/// Bytes of a row.
std::uint64_t cache_row_bytes(const CacheHeader& header);

/// Rows from `row` on lie in file `file` (of several), from line `line` on without a gap.
struct LineRun {
  Index row = 0;
  int file = 0;
  Index line = 0;  ///< from 1
};

/// The first value that is missing in dense rows, as a NaN.
struct MissingValue {
  Index row = -1;  ///< −1: none is
  Index feature = 0;
};

/// What stands in the JSON.
struct CacheMetadata {
  std::string identity;            ///< of sources and parse options: text whose change makes the file stale
  std::string source;              ///< as the user named it
  std::vector<std::string> files;  ///< that it means
  std::vector<std::string> feature_names;
  HashedFeatures hashed{-1, 0, 0, {}};  ///< files that say nothing were written before it was noted
  std::vector<std::string> classes;     ///< where the source knows them; labels are then class numbers
  std::vector<std::string> label_texts;
  std::vector<double> label_numbers;     ///< all that occur, where all labels are at most 65,536 different
  std::vector<Index> label_counts;       ///< how often each of these occurs
  std::vector<Index> label_text_counts;  ///< and each of the texts
  bool has_label_values = false;         ///< whether they are
  std::vector<std::vector<std::string>> categories;  ///< per feature its texts by code; empty: numbers
  std::vector<LineRun> lines;
  std::optional<MissingValue> missing;  ///< without a value: whether one is was not noted
  Index bad_count = 0;                  ///< lines that were skipped
  std::vector<std::string> warnings;    ///< of the source, for the user
  std::vector<std::string> bad_lines;   ///< the first of them, "file:line:column: what"
  std::string content_hash;             ///< see RowHash

  std::string to_json() const;
  /// Throws std::exception for text that is malformed.
  static CacheMetadata from_json(const std::string& text);
};

}  // namespace lockstep
