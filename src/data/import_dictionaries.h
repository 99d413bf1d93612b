// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/block_parser.h"
#include "data/cache_layout.h"

namespace lockstep {

/// The texts of labels and categories, with codes in the order in which they appear in a file that several
/// ranks parse piece by piece. A rank tells what its parser met for the first time; all ranks take that up
/// piece by piece.
class ImportDictionaries {
 public:
  /// `columns`: −1 for the labels, and the features that hold categories.
  explicit ImportDictionaries(std::vector<Index> columns);

  /// What is new in the parser's dictionaries since the last call; empty: nothing.
  std::string fresh(const BlockParser& parser);
  /// The fresh() of all pieces of a round, in order.
  void take(const std::vector<std::string>& pieces);
  /// After take(): the code that all ranks use for one of this rank's parser.
  std::int32_t code(std::size_t slot, std::int32_t of_parser) const {
    return slots_[slot].codes[static_cast<std::size_t>(of_parser)];
  }
  /// Gives the categories of this rank's block, of so many features, the codes that all ranks use.
  void translate(RowBlock& block, Index features) const;
  const std::vector<std::string>& texts(std::size_t slot) const { return slots_[slot].texts; }
  /// Writes all texts to the metadata of a file of so many features.
  void describe(Index features, CacheMetadata& metadata) const;

 private:
  struct Slot {
    std::vector<std::string> mine;    // by code of the parser, not yet taken up
    std::vector<std::int32_t> codes;  // by code of the parser
    std::vector<std::string> texts;
    std::unordered_map<std::string, std::int32_t> known;
  };
  std::vector<Index> columns_;
  std::vector<Slot> slots_;
};

}  // namespace lockstep
