// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/piece_source.h"
#include "data/row_block.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// Parses pieces of one source, of text unless pieces() says otherwise. Every rank makes its own from the
/// source's start, so all agree on the schema. Texts get codes in the order in which this parser meets them.
class BlockParser {
 public:
  virtual ~BlockParser() = default;

  virtual const RowSchema& schema() const = 0;
  /// Whether the source has anything but empty lines; if not, nothing is known of its columns.
  virtual bool has_lines() const { return true; }
  /// Where rows start, behind a byte order mark and a header: inflated bytes, and the number of that line.
  virtual Index first_byte() const = 0;
  virtual Index first_line() const = 0;
  /// Whether lines that are no rows are counted and passed over; else the first one ends parsing.
  virtual bool skips_bad_rows() const { return false; }
  /// Where rows are no lines of text: cuts `path` into pieces that parse() takes. Throws Error(kData) for a
  /// file that is not like the one this was made from. Null: text, which is cut at line ends.
  virtual std::unique_ptr<PieceSource> pieces(const std::string& path, std::size_t piece_bytes) const {
    (void)path, (void)piece_bytes;
    return nullptr;
  }
  /// `text` is whole lines, the last may lack its line end. Replaces `block`.
  virtual void parse(std::string_view text, RowBlock& block) = 0;
  /// Texts by code: of a feature's categories, or of the labels (column −1).
  virtual const std::vector<std::string>& dictionary(Index column) const = 0;
};

}  // namespace lockstep
