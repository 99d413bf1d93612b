// SPDX-License-Identifier: Apache-2.0
#include "data/text_reader.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// What is read at once grows with the file.
constexpr std::size_t kFirstBytes = std::size_t{1} << 16, kBytes = std::size_t{1} << 20;

// std::count widens every comparison to 64 bits: a fifth of the time that parsing takes.
Index count_newlines(std::string_view text) {
  constexpr std::size_t kLanes = 32, kRounds = 255;
  Index total = 0;
  while (text.size() >= kLanes) {
    std::array<std::uint8_t, kLanes> counts{};
    const std::size_t rounds = std::min(text.size() / kLanes, kRounds);
    for (std::size_t round = 0; round < rounds; ++round)
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        counts[lane] = static_cast<std::uint8_t>(counts[lane] + (text[round * kLanes + lane] == '\n'));
    for (const std::uint8_t count : counts) total += count;
    text.remove_prefix(rounds * kLanes);
  }
  return total + std::count(text.begin(), text.end(), '\n');
}

}  // namespace

// One byte more than a small file has, so that its end is seen.
TextReader::TextReader(const std::string& path)
    : source_(path), buffer_(std::min(kFirstBytes, source_.bytes_left() + 1)) {
  fill();
  check_start();
}

void TextReader::fail(const char* at, const std::string& what) const {
  throw Error(ExitCode::kData, source_.path() + ":" + std::to_string(number_) + ":" +
                                   std::to_string(column_of(at)) + ": " + what);
}

void TextReader::check_start() {
  const std::string_view start(buffer_.data(), end_);
  if (start.substr(0, 2) == "\xFF\xFE" || start.substr(0, 2) == "\xFE\xFF")
    throw Error(ExitCode::kData, source_.path() + ": is UTF-16 text, UTF-8 or ASCII was expected");
  if (start.substr(0, 3) == "\xEF\xBB\xBF") begin_ = 3;
}

// Moves what is left to the front and reads on behind it. False if nothing could be added.
bool TextReader::fill() {
  if (is_at_end_) return false;
  const std::size_t left = end_ - begin_;
  std::memmove(buffer_.data(), buffer_.data() + begin_, left);
  begin_ = 0;
  if (left == buffer_.size() || buffer_.size() < kBytes) buffer_.resize(2 * buffer_.size());
  const std::size_t count = source_.read(buffer_.data() + left, buffer_.size() - left);
  end_ = left + count;
  is_at_end_ = end_ < buffer_.size();
  return count > 0;
}

void TextReader::fail_long_line() {
  line_ = std::string_view(buffer_.data(), end_).substr(begin_, 0);
  fail(line_.data(), "the line is longer than 64 MB");
}

bool TextReader::next_piece() {
  number_ += count_newlines(piece_);
  piece_ = {};
  while (true) {
    const std::string_view rest(buffer_.data() + begin_, end_ - begin_);
    const auto newline = rest.rfind('\n');
    if (newline != std::string_view::npos || is_at_end_) {
      piece_ = rest.substr(0, newline == std::string_view::npos ? newline : newline + 1);
      begin_ += piece_.size();
      return !piece_.empty();
    }
    if (end_ - begin_ > kMaxLine) {
      ++number_;
      fail_long_line();
    }
    fill();
  }
}

bool TextReader::next() {
  ++number_;
  std::size_t searched = 0;
  const char* newline = nullptr;
  while (true) {
    const std::size_t left = end_ - begin_;
    newline =
        static_cast<const char*>(std::memchr(buffer_.data() + begin_ + searched, '\n', left - searched));
    if (newline != nullptr) break;
    searched = left;
    if (left > kMaxLine) fail_long_line();
    if (!fill()) break;
  }
  const char* first = buffer_.data() + begin_;
  if (newline == nullptr && begin_ == end_) return false;
  const char* last = newline != nullptr ? newline : buffer_.data() + end_;
  begin_ = static_cast<std::size_t>(last - buffer_.data()) + (newline != nullptr ? 1 : 0);
  line_ = {first, static_cast<std::size_t>(last - first)};
  if (!line_.empty() && line_.back() == '\r') line_.remove_suffix(1);
  const void* nul = line_.empty() ? nullptr : std::memchr(line_.data(), 0, line_.size());
  if (nul != nullptr) fail(static_cast<const char*>(nul), "a NUL byte, text was expected");
  return true;
}

}  // namespace lockstep
