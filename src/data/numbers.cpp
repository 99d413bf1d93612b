// SPDX-License-Identifier: Apache-2.0
#include "data/numbers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "data/decimal.h"

namespace lockstep {

namespace {

template <class Float>
const char* read_any(const char* at, const char* end, Float& out) {
  const auto [rest, error] = std::from_chars(at, end, out);
  if (error == std::errc{}) return rest;
  if (error != std::errc::result_out_of_range) return nullptr;
  const std::string_view text(at, static_cast<std::size_t>(rest - at));
  double wide = 0;
  const bool is_double = std::from_chars(at, end, wide).ec == std::errc{};
  const auto exponent = text.find_first_of("eE");
  const bool is_tiny = is_double                            ? std::abs(wide) < 1
                       : exponent == std::string_view::npos ? text.find_first_of("123456789") > text.find('.')
                                                            : text[exponent + 1] == '-';
  out = is_tiny ? Float{0} : std::numeric_limits<Float>::infinity();
  return rest;
}

const char* skip_plus(const char* begin, const char* end) {
  const bool has_plus = begin < end && *begin == '+' && begin + 1 < end && begin[1] != '-' && begin[1] != '+';
  return has_plus ? begin + 1 : begin;
}

// Through a copy: behind `end` nothing may be read.
template <class Float>
const char* read_padded(const char* begin, const char* end, Float& out,
                        bool (*convert)(const Decimal&, Float&)) {
  constexpr std::size_t kLongest = 48;
  std::array<char, kLongest + kDecimalPadding> copy{};
  const auto size = static_cast<std::size_t>(end - begin);
  if (size == 0) return nullptr;
  std::memcpy(copy.data(), begin, std::min(size, kLongest));
  const Decimal decimal = scan_decimal(copy.data());
  const bool is_whole = size <= kLongest || decimal.rest < copy.data() + kLongest;
  if (decimal.rest != nullptr && is_whole && convert(decimal, out))
    return begin + (decimal.rest - copy.data());
  return read_any(skip_plus(begin, end), end, out);
}

}  // namespace

const char* read_number(const char* begin, const char* end, float& out) {
  return read_padded(begin, end, out, to_float);
}

const char* read_number(const char* begin, const char* end, double& out) {
  return read_padded(begin, end, out, to_double);
}

const char* read_rare(const char* at, const char* end, float& out) {
  const char* const rest = read_any(skip_plus(at, end), end, out);
  return rest != nullptr && std::isfinite(out) ? rest : nullptr;
}

const char* read_rare(const char* at, const char* end, double& out) {
  const char* const rest = read_any(skip_plus(at, end), end, out);
  return rest != nullptr && std::isfinite(out) ? rest : nullptr;
}

bool read_whole(std::string_view field, double& out) {
  const char* end = field.data() + field.size();
  return !field.empty() && read_number(field.data(), end, out) == end;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string explain_number(std::string_view field) {
  constexpr std::size_t kShown = 40;
  const std::string shown =
      "\"" + std::string(field.substr(0, kShown)) + (field.size() > kShown ? "…\"" : "\"");
  if (field.empty()) return "empty, a number was expected";
  double value = 0;
  if (read_whole(field, value) && std::isnan(value)) return shown + " is NaN, a finite number was expected";
  if (read_whole(field, value)) return shown + " is infinite or too large, a finite number was expected";
  std::string with_point(field);
  std::replace(with_point.begin(), with_point.end(), ',', '.');
  if (field.find(',') != std::string_view::npos && read_whole(with_point, value))
    return shown + " has a decimal comma, write " + with_point;
  return shown + " is not a number";
}

std::string number_text(double number) {
  std::array<char, 32> text{};
  if (number == 0) number = 0;  // no "-0"
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

}  // namespace lockstep
