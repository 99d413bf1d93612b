// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/byte_source.h"
#include "lockstep/core/view.h"

namespace lockstep {

/// The lines of a text file, inflated if need be. A byte order mark, CRLF and a missing last newline are
/// accepted. Throws Error(kData) for NUL bytes, UTF-16 and lines above kMaxLine.
class TextReader {
 public:
  static constexpr std::size_t kMaxLine = std::size_t{64} << 20;

  explicit TextReader(const std::string& path);

  /// Steps to the next line; false at the end of the file.
  bool next();
  /// Steps to the next piece of whole lines, of which only the file's last may lack its line end; false at
  /// the end of the file. What NUL bytes it holds is for the caller to find.
  bool next_piece();
  /// Valid until the next step.
  std::string_view piece() const { return piece_; }
  /// Inflated bytes before what comes next.
  Index position() const { return static_cast<Index>(source_.position() - (end_ - begin_)); }

  /// Without its line end. Valid until next().
  std::string_view line() const { return line_; }
  /// Of the line, from 1; of the last line before the piece.
  Index number() const { return number_; }

  /// Throws Error(kData) "file:line:column: what". `at` points into the line.
  [[noreturn]] void fail(const char* at, const std::string& what) const;
  Index column_of(const char* at) const { return at - line_.data() + 1; }

 private:
  bool fill();
  void check_start();
  [[noreturn]] void fail_long_line();

  ByteSource source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what has not been handed out
  std::size_t end_ = 0;    // of what has been read
  bool is_at_end_ = false;
  std::string_view line_;
  std::string_view piece_;
  Index number_ = 0;
};

}  // namespace lockstep
