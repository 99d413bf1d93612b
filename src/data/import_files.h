// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/block_parser.h"
#include "data/import_pieces.h"
#include "lockstep/data/format.h"

namespace lockstep {

/// Files that are read as one: they have the same header and as many features. Files without lines are
/// left out.
class ImportFiles {
 public:
  /// Throws Error(kData) for a file that is not like the first one.
  ImportFiles(const Format& format, const std::vector<std::string>& files, Index unlabelled_features);

  BlockParser& parser() const { return *parser_; }
  /// Per file with lines, as ImportPieces numbers them: where its rows start, the line before, its place
  /// among all files.
  const std::vector<ImportPieces::Start>& starts() const { return starts_; }
  const std::vector<Index>& lines_before() const { return lines_before_; }
  int number(std::size_t file) const { return numbers_[file]; }

 private:
  void open(const std::string& file, int number, std::unique_ptr<BlockParser> parser);

  std::string header_;  // of the first file
  std::unique_ptr<BlockParser> parser_;
  std::vector<ImportPieces::Start> starts_;
  std::vector<Index> lines_before_;
  std::vector<int> numbers_;
};

}  // namespace lockstep
