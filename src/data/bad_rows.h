// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "data/row_block.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// Rows that are skipped: all are counted, the first ones named.
class BadRows {
 public:
  BadRows() = default;
  BadRows(Index count, std::vector<std::string> named) : count_(count), named_(std::move(named)) {}

  /// `text`: "file:line:column: what".
  void add(const std::string& text) {
    ++count_;
    if (named_.size() < RowBlock::kNamedBadLines) named_.push_back(text);
  }
  void add_unnamed(Index count) { count_ += count; }
  Index count() const { return count_; }
  const std::vector<std::string>& named() const { return named_; }

 private:
  Index count_ = 0;
  std::vector<std::string> named_;
};

/// For the user: how many, and the named ones a line each.
std::string skipped_sentence(const BadRows& rows);

}  // namespace lockstep
