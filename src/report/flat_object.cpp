// SPDX-License-Identifier: Apache-2.0
#include "report/flat_object.h"

#include <charconv>
#include <cmath>
#include <cstring>

namespace lockstep {

FlatObject::FlatObject(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) {
  is_open_ = take('{');
}

void FlatObject::skip_blanks() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r')) ++at_;
}

bool FlatObject::take(char letter) {
  skip_blanks();
  if (at_ == end_ || *at_ != letter) return false;
  ++at_;
  return true;
}

bool FlatObject::take_text(std::string_view* text) {
  if (!take('"')) return false;
  const char* const begin = at_;
  for (; at_ != end_; ++at_) {
    if (*at_ == '\\') {
      if (++at_ == end_) return false;
    } else if (*at_ == '"') {
      *text = {begin, static_cast<std::size_t>(at_ - begin)};
      ++at_;
      return true;
    }
  }
  return false;
}

FlatObject::Member FlatObject::value_of(std::string_view key) {
  skip_blanks();
  if (at_ == end_) return {Kind::kBroken, {}, {}, 0};
  if (*at_ == '"') {
    std::string_view text;
    return {take_text(&text) ? Kind::kText : Kind::kBroken, key, text, 0};
  }
  if (*at_ == '{' || *at_ == '[') return {Kind::kNested, key, {}, 0};
  for (const std::string_view word : {"null", "true", "false"})
    if (static_cast<std::size_t>(end_ - at_) >= word.size() &&
        std::memcmp(at_, word.data(), word.size()) == 0) {
      at_ += word.size();
      return word == "null" ? Member{Kind::kNumber, key, {}, std::nan("")}
                            : Member{Kind::kOther, key, word, 0};
    }
  Member member{Kind::kNumber, key, {}, 0};
  const auto [end, error] = std::from_chars(at_, end_, member.number);
  if (error == std::errc::result_out_of_range)
    member.number = std::nan("");
  else if (error != std::errc())
    return {Kind::kBroken, {}, {}, 0};
  at_ = end;
  return member;
}

FlatObject::Member FlatObject::next() {
  const Member broken{Kind::kBroken, {}, {}, 0};
  if (!is_open_) return broken;
  if (take('}')) {
    skip_blanks();
    return at_ == end_ ? Member{} : broken;
  }
  if (!is_first_ && !take(',')) return broken;
  is_first_ = false;
  std::string_view key;
  if (!take_text(&key) || !take(':')) return broken;
  return value_of(key);
}

}  // namespace lockstep
