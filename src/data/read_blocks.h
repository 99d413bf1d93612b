// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "data/block_parser.h"

namespace lockstep {

/// Passes the rows of a block to `sink`, which knows the parser's schema; lines count from `lines_before`.
void pass_rows(const RowBlock& block, const BlockParser& parser, Index lines_before, RowSink& sink);

/// The categories of a parser's blocks in the codes of a sink.
class CategoryCodes {
 public:
  explicit CategoryCodes(const BlockParser& parser)
      : parser_(parser), codes_(parser.schema().is_category.size()) {}
  /// Tells the sink new texts.
  void translate(RowBlock& block, RowSink& sink);

 private:
  const BlockParser& parser_;
  std::vector<std::vector<float>> codes_;  // per feature
};

/// Reads a whole source piece by piece and passes its rows to `sink`, one by one.
void read_blocks(const std::string& source, BlockParser& parser, RowSink& sink);

}  // namespace lockstep
