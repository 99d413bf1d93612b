// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace lockstep {

/// Decimal text, ± digits · 10^exponent, before it is rounded.
struct Decimal {
  std::uint64_t digits = 0;
  int exponent = 0;
  bool is_negative = false;
  const char* rest = nullptr;  ///< behind it; null: no number, or more than 19 digits
};

/// Bytes that may be read behind the text that is scanned.
constexpr std::size_t kDecimalPadding = 32;

/// Eight characters as digits 0 … 9, the first in the lowest byte; what is no digit is above 9.
inline std::uint64_t load_digits(const char* at) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word ^ 0x3030303030303030U;
}

/// How many digits stand in front. A carry out of what is no digit only reaches bytes behind it.
inline int leading_digits(std::uint64_t word) {
  return std::countr_zero(((word + 0x7676767676767676U) | word) & 0x8080808080808080U) / 8;
}

/// The number that the first `count` digits are, 1 … 8: pairs, then fours, then eight at once.
inline std::uint64_t join_digits(std::uint64_t word, int count) {
  word <<= 64 - 8 * count;
  word = word * 10 + (word >> 8);
  constexpr std::uint64_t kMask = 0x000000FF000000FFU;
  return ((word & kMask) * 0x000F424000000064U + ((word >> 16) & kMask) * 0x0000271000000001U) >> 32;
}

/// Appends all digits at `at` to `value`, modulo 2^64; returns where they end.
inline const char* take_digits(const char* at, std::uint64_t& value) {
  constexpr std::array<std::uint64_t, 9> kTens{1,       10,        100,        1'000,      10'000,
                                               100'000, 1'000'000, 10'000'000, 100'000'000};
  while (true) {
    const std::uint64_t word = load_digits(at);
    const int count = leading_digits(word);
    if (count > 0) value = value * kTens[static_cast<std::size_t>(count)] + join_digits(word, count);
    at += count;
    if (count < 8) return at;
  }
}

/// Whether not more than 19 digits count: the others are zeros in front.
inline bool fits_digits(const char* start, std::ptrdiff_t count) {
  if (count <= 19) return true;
  for (; *start == '0' || *start == '.'; ++start) count -= *start == '0' ? 1 : 0;
  return count <= 19;
}

/// Behind an 'e'. Null if no number of at most four digits follows.
inline const char* take_exponent(const char* at, int& exponent) {
  const bool is_negative = *at == '-';
  if (is_negative || *at == '+') ++at;
  const std::uint64_t word = load_digits(at);
  const int count = leading_digits(word);
  if (count < 1 || count > 4) return nullptr;
  const int value = static_cast<int>(join_digits(word, count));
  exponent += is_negative ? -value : value;
  return at + count;
}

/// Scans the number at `at`. A character that no number holds must follow it, and kDecimalPadding bytes.
inline Decimal scan_decimal(const char* at) {
  Decimal decimal;
  decimal.is_negative = *at == '-';
  at += *at == '-' || *at == '+' ? 1 : 0;
  const char* const start = at;
  at = take_digits(at, decimal.digits);
  std::ptrdiff_t count = at - start;
  if (*at == '.') {
    const char* const places = ++at;
    at = take_digits(at, decimal.digits);
    decimal.exponent = static_cast<int>(places - at);
    count += at - places;
  }
  if (count == 0 || !fits_digits(start, count)) return decimal;
  if ((*at | 0x20) == 'e') at = take_exponent(at + 1, decimal.exponent);
  decimal.rest = at;
  return decimal;
}

/// The nearest float; false where this cannot tell it. The digits, the power and the product are rounded to
/// double, each by at most 2^-53 of it, so the double is off by less than 4 of its units. Where no middle
/// between two floats lies that near, all numbers it may stand for have the same nearest float. The
/// exponents allow normal floats and 0 only.
inline bool to_float(const Decimal& decimal, float& out) {
  static constexpr std::array<double, 57> kPowers{
      1e-37, 1e-36, 1e-35, 1e-34, 1e-33, 1e-32, 1e-31, 1e-30, 1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23,
      1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9,  1e-8,
      1e-7,  1e-6,  1e-5,  1e-4,  1e-3,  1e-2,  1e-1,  1e0,   1e1,   1e2,   1e3,   1e4,   1e5,   1e6,   1e7,
      1e8,   1e9,   1e10,  1e11,  1e12,  1e13,  1e14,  1e15,  1e16,  1e17,  1e18,  1e19};
  const auto power = static_cast<unsigned>(decimal.exponent + 37);
  if (power >= kPowers.size() || decimal.digits >> 63 != 0) return false;
  const double wide = static_cast<double>(static_cast<std::int64_t>(decimal.digits)) * kPowers[power];
  constexpr std::uint64_t kLow = (1U << 29) - 1, kMiddle = 1U << 28, kNear = 4;
  if ((std::bit_cast<std::uint64_t>(wide) & kLow) - (kMiddle - kNear) <= 2 * kNear) return false;
  const auto sign = std::uint32_t{decimal.is_negative} << 31;
  out = std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(wide)) | sign);
  return true;
}

/// The nearest double; false where this cannot tell it. One rounding of exact operands (Clinger, 1990).
inline bool to_double(const Decimal& decimal, double& out) {
  static constexpr std::array<double, 23> kPowers{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  const auto power = static_cast<unsigned>(decimal.exponent < 0 ? -decimal.exponent : decimal.exponent);
  if (power >= kPowers.size() || decimal.digits >> 53 != 0) return false;
  const auto digits = static_cast<double>(static_cast<std::int64_t>(decimal.digits));
  const double value = decimal.exponent < 0 ? digits / kPowers[power] : digits * kPowers[power];
  out = decimal.is_negative ? -value : value;
  return true;
}

}  // namespace lockstep
