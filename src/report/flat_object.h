// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace lockstep {

/// The members of one JSON object of numbers, texts and truth values, without building anything: a line of
/// metrics.jsonl is read in a fraction of a microsecond.
class FlatObject {
 public:
  enum class Kind { kNumber, kText, kOther, kNested, kEnd, kBroken };

  struct Member {
    Kind kind = Kind::kEnd;
    std::string_view key;   ///< as written, escapes included
    std::string_view text;  ///< of a text, as written; of kOther "null", "true" or "false"
    double number = 0;      ///< null is NaN
  };

  explicit FlatObject(std::string_view line);

  /// The next member. kEnd behind the last; kNested: a value is a list or an object, read the line another
  /// way; kBroken: this is no JSON object, or a line that was cut off.
  Member next();

 private:
  void skip_blanks();
  bool take(char letter);
  bool take_text(std::string_view* text);
  Member value_of(std::string_view key);

  const char* at_;
  const char* end_;
  bool is_first_ = true, is_open_ = false;
};

}  // namespace lockstep
