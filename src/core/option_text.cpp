// SPDX-License-Identifier: Apache-2.0
#include "core/option_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <type_traits>

namespace lockstep {
namespace {

template <class T>
inline constexpr bool kIsVector = false;
template <class T>
inline constexpr bool kIsVector<std::vector<T>> = true;

std::string literal(bool value) {
  return value ? "true" : "false";
}
std::string literal(std::int64_t value) {
  return std::to_string(value);
}
std::string literal(double value) {
  return to_literal(value);
}

std::string literal(const std::string& value) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string result = "\"";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (byte < 0x20 || byte == 0x7f) {
      result += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
    } else {
      result += c;
    }
  }
  return result + '"';
}

template <class T>
std::string literal(const std::vector<T>& values) {
  std::vector<std::string> words;
  for (const T& value : values) words.push_back(literal(value));
  return std::string("[") + join(words) + "]";
}

/// Numbers may be written as 5_000_000 and with a leading plus, as in TOML.
std::string plain_number(std::string_view word) {
  if (word.size() > 1 && word[0] == '+' && word[1] != '-') word.remove_prefix(1);
  const auto is_digit = [&](std::size_t i) { return i < word.size() && word[i] >= '0' && word[i] <= '9'; };
  std::string result;
  for (std::size_t i = 0; i < word.size(); ++i)
    if (word[i] != '_' || i == 0 || !is_digit(i - 1) || !is_digit(i + 1)) result += word[i];
  return result;
}

template <class Number>
bool parse_number(const std::string& word, Number* value) {
  const std::string plain = plain_number(word);
  const char* end = plain.data() + plain.size();
  const auto [stop, error] = std::from_chars(plain.data(), end, *value);
  return error == std::errc() && stop == end;
}

bool parse_word(const std::string& word, bool* value) {
  *value = word == "true";
  return *value || word == "false";
}
bool parse_word(const std::string& word, std::int64_t* value) {
  return parse_number(word, value);
}
bool parse_word(const std::string& word, double* value) {
  return parse_number(word, value) && std::isfinite(*value);
}

/// Length of the UTF-8 sequence that starts with `lead`; 0: none does.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/// TOML can hold nothing else, so another text could not stand in the resolved config.
bool parse_word(const std::string& word, std::string* value) {
  for (std::size_t i = 0; i < word.size();) {
    const std::size_t length = sequence_length(static_cast<unsigned char>(word[i]));
    if (length == 0 || i + length > word.size()) return false;
    for (std::size_t k = 1; k < length; ++k)
      if ((static_cast<unsigned char>(word[i + k]) & 0xc0) != 0x80) return false;
    i += length;
  }
  *value = word;
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string unquote(std::string_view word) {
  if (word.size() >= 2 && word.front() == word.back() && (word[0] == '"' || word[0] == '\''))
    word = word.substr(1, word.size() - 2);
  return std::string(word);
}

std::string short_number(double value) {
  const bool is_whole = value == std::floor(value) && std::abs(value) < 1e15;
  return is_whole ? std::to_string(static_cast<std::int64_t>(value)) : to_literal(value);
}

std::string range_words(const OptionSpec& spec) {
  if (std::isfinite(spec.minimum) && std::isfinite(spec.maximum))
    return " from " + short_number(spec.minimum) + " to " + short_number(spec.maximum);
  if (std::isfinite(spec.minimum)) return " of at least " + short_number(spec.minimum);
  if (std::isfinite(spec.maximum)) return " of at most " + short_number(spec.maximum);
  return "";
}

bool is_allowed_word(const OptionSpec&, bool) {
  return true;
}
bool is_allowed_word(const OptionSpec& spec, std::int64_t value) {
  return static_cast<double>(value) >= spec.minimum && static_cast<double>(value) <= spec.maximum;
}
bool is_allowed_word(const OptionSpec& spec, double value) {
  return value >= spec.minimum && value <= spec.maximum;
}
bool is_allowed_word(const OptionSpec& spec, const std::string& value) {
  return spec.choices.empty() ||
         std::find(spec.choices.begin(), spec.choices.end(), value) != spec.choices.end();
}

}  // namespace

bool is_list(const OptionValue& value) {
  return std::visit([](const auto& held) { return kIsVector<std::decay_t<decltype(held)>>; }, value);
}

std::string to_literal(double value) {
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, result.ptr);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string to_literal(const OptionValue& value) {
  return std::visit([](const auto& held) { return literal(held); }, value);
}

std::vector<std::string> split_words(const OptionSpec& spec, std::string_view text) {
  text = trim(text);
  if (!is_list(spec.default_value)) return {unquote(text)};
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']')
    text = trim(text.substr(1, text.size() - 2));
  std::vector<std::string> words;
  char quote = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quote == 0 && text[i] == ',') {
      words.push_back(unquote(trim(text.substr(begin, i - begin))));
      begin = i + 1;
    } else if (quote == text[i]) {
      quote = 0;
    } else if (quote == 0 && (text[i] == '"' || text[i] == '\'')) {
      quote = text[i];
    }
  }
  const std::string_view last = trim(text.substr(begin));
  if (!last.empty()) words.push_back(unquote(last));  // a comma may stand behind the last element, as in TOML
  return words;
}

bool parse_words(const OptionSpec& spec, const std::vector<std::string>& words, OptionValue* value) {
  *value = spec.default_value;
  return std::visit(
      [&](auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (kIsVector<Held>) {
          held.clear();
          for (const std::string& word : words)
            if (!parse_word(word, &held.emplace_back())) return false;
          return true;
        } else {
          return words.size() == 1 && parse_word(words[0], &held);
        }
      },
      *value);
}

bool is_allowed(const OptionSpec& spec, const OptionValue& value) {
  if (value == spec.default_value) return true;
  return std::visit(
      [&](const auto& held) {
        if constexpr (kIsVector<std::decay_t<decltype(held)>>)
          return std::all_of(held.begin(), held.end(),
                             [&](const auto& item) { return is_allowed_word(spec, item); });
        else
          return is_allowed_word(spec, held);
      },
      value);
}

std::string expectation(const OptionSpec& spec) {
  const bool has_choices = !spec.choices.empty();
  switch (spec.default_value.index()) {
    case 0:
      return "true or false";
    case 1:
      return "an integer" + range_words(spec);
    case 2:
      return "a number" + range_words(spec);
    case 3:
      return has_choices ? "one of " + join(spec.choices) : "a text";
    case 4:
      return "a list of integers" + range_words(spec) + ", such as [2, 3]";
    case 5:
      return "a list of numbers" + range_words(spec) + ", such as [0.1, 0.2]";
    default:
      return has_choices ? "a list out of " + join(spec.choices) : R"(a list of texts, such as ["a", "b"])";
  }
}

std::string join(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ", ") + word;
  return result;
}

}  // namespace lockstep
