// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "data/cache_layout.h"
#include "data/row_hash.h"
#include "lockstep/comm/communicator.h"

namespace lockstep {

/// What the metadata of a cache file tells of its rows, noted while ranks write them piece by piece.
class ImportNotes {
 public:
  /// A row of this rank, at its place in the file. The `label` is as in memory (cache_label.h).
  void add_row(const RowSchema& schema, const LineRun& place, const Row& row, double label);
  /// A line that was skipped. The first of a piece, in order, are enough.
  void add_bad_line(int file, Index line, std::string text);
  /// Collective. Puts together what all ranks noted; the texts of labels are already there.
  void gather(Communicator& communicator, CacheMetadata& metadata) const;

 private:
  void count_label(double label);
  void note_missing(Index number, const float* features, std::size_t width);
  void gather_lines(Communicator& communicator, CacheMetadata& metadata) const;
  void gather_labels(Communicator& communicator, CacheMetadata& metadata) const;
  void gather_bad_lines(Communicator& communicator, CacheMetadata& metadata) const;

  std::vector<LineRun> runs_;
  Index next_row_ = -1;
  std::array<Index, 256> small_labels_{};                 // how often each occurs
  std::unordered_map<double, Index> labels_;              // the other numbers, while they are few
  std::vector<Index> text_labels_;                        // by code
  std::vector<std::pair<Index, std::string>> bad_lines_;  // with lines as kFileShift numbers them
  MissingValue missing_;
  RowHash hash_;
};

}  // namespace lockstep
