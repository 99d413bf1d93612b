// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/piece_source.h"
#include "lockstep/core/view.h"

namespace lockstep {

class BlockParser;

/// Cuts text files at line ends into pieces, the same for whoever reads them: of a plain file the lines that
/// begin within 4 MiB, found without reading the rest; of a compressed one so much inflated text and what
/// ends the last line. Other files are cut by their parser.
class ImportPieces {
 public:
  static constexpr std::size_t kPieceBytes = std::size_t{4} << 20;

  struct Start {
    std::string path;
    Index first_byte = 0;                 ///< of rows, in inflated text
    const BlockParser* parser = nullptr;  ///< of files that need not be text
  };
  explicit ImportPieces(std::vector<Start> files, std::size_t piece_bytes = kPieceBytes);
  ~ImportPieces();

  struct Piece {
    int file = 0;
    std::string_view text;  ///< valid until the next call; empty where it was not wanted
  };
  /// Steps to the next piece; false at the end of the last file.
  bool next(bool is_wanted, Piece& piece);

 private:
  class PlainSource;
  class InflatedSource;
  std::unique_ptr<PieceSource> open(const Start& start) const;

  std::vector<Start> files_;
  std::size_t piece_bytes_;
  int file_ = -1;
  std::unique_ptr<PieceSource> source_;
};

}  // namespace lockstep
