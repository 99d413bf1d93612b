// SPDX-License-Identifier: Apache-2.0
#pragma once

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "data/decimal.h"

namespace lockstep {

/// An index and a number behind a colon, "123:-0.5".
struct ShortEntry {
  std::uint64_t index = 0;
  Decimal value;
};

// Without loops or branches that depend on how many digits a number has, on its sign or its point: these
// change from number to number, and a processor that guesses them wrong loses more time than the text costs.
// 32 characters are classified at once.
#ifdef __AVX2__

namespace short_decimal {

/// Bit i: character i is between `first` and `last`.
inline std::uint32_t find_between(__m256i text, char first, char last) {
  const __m256i from_first = _mm256_sub_epi8(text, _mm256_set1_epi8(first));
  const __m256i bound = _mm256_set1_epi8(static_cast<char>(last - first));
  return static_cast<std::uint32_t>(
      _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(from_first, bound), from_first)));
}

inline std::uint32_t find(__m256i text, char c) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(text, _mm256_set1_epi8(c))));
}

inline __m128i load(const void* at) {
  return _mm_loadu_si128(static_cast<const __m128i*>(at));
}

/// The first `size` characters, 0 … 16, as digits 0 … 9 at the end of 16 bytes, behind zeros.
inline __m128i align_digits(__m128i digits, std::uint32_t size) {
  alignas(32) static constexpr std::array<signed char, 32> kFrom{
      -16, -15, -14, -13, -12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1,
      0,   1,   2,   3,   4,   5,   6,   7,  8,  9,  10, 11, 12, 13, 14, 15};
  return _mm_shuffle_epi8(digits, load(kFrom.data() + size));
}

/// Leaves out the character at `point`: those before it move one up.
inline __m128i remove_point(__m128i digits, std::uint32_t point) {
  alignas(32) static constexpr std::array<signed char, 32> kUpTo{-1, -1, -1, -1, -1, -1, -1, -1,
                                                                 -1, -1, -1, -1, -1, -1, -1, -1};
  return _mm_blendv_epi8(digits, _mm_slli_si128(digits, 1), load(kUpTo.data() + 15 - point));
}

inline __m128i digits_at(const char* at) {
  return _mm_sub_epi8(load(at), _mm_set1_epi8('0'));
}

/// The numbers that 16 digits are: pairs, fours, eights.
inline std::uint64_t join(__m128i digits) {
  const __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010A));
  const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00010064));
  const __m128i eights = _mm_madd_epi16(_mm_packus_epi32(fours, fours), _mm_set1_epi32(0x00012710));
  const auto both = static_cast<std::uint64_t>(_mm_cvtsi128_si64(eights));
  return (both & 0xFFFFFFFFU) * 100'000'000U + (both >> 32);
}

/// Digits with at most one point among them, the first `size` characters. False if they are more than 15, or
/// anything else. `others`: the characters that are no digits, one at `size`; `points`: the points.
inline bool take_decimal(const char* at, std::uint32_t size, std::uint32_t others, std::uint32_t points,
                         Decimal& out) {
  const std::uint32_t inside = _bzhi_u32(others, size);
  const std::uint32_t point = _tzcnt_u32(others);
  const std::uint32_t width = size + (inside == 0 ? 1 : 0);  // as if a point stood behind them
  if (((inside & ~points) | _blsr_u32(inside)) != 0 || width - 2 > 14) return false;
  out.digits = join(align_digits(remove_point(digits_at(at), point), width));
  out.exponent = static_cast<int>(point + 1 - width);
  out.rest = at + size;
  return true;
}

}  // namespace short_decimal

/// A number of up to 15 digits without exponent or leading '+'; false if anything else stands there, or only
/// a longer look could tell. Reads kDecimalPadding characters.
inline bool scan_short(const char* at, Decimal& out) {
  using namespace short_decimal;
  const __m256i text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  const std::uint32_t end = _tzcnt_u32(~find_between(text, '-', '9'));
  const std::uint32_t others = ~find_between(text, '0', '9');
  const std::uint32_t sign = find(text, '-') & 1U;
  out.is_negative = sign != 0;
  if (end > 31 || (at[end] | 0x20) == 'e') return false;
  return take_decimal(at + sign, end - sign, others >> sign, find(text, '.') >> sign, out);
}

/// The same behind an index of up to 10 digits and a colon.
inline bool scan_short(const char* at, ShortEntry& out) {
  using namespace short_decimal;
  const __m256i text = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
  const std::uint32_t end = _tzcnt_u32(~find_between(text, '-', ':'));
  const std::uint32_t others = ~find_between(text, '0', '9');
  const std::uint32_t colon = _tzcnt_u32(others);
  if (end > 31 || colon - 1 > 9 || at[colon] != ':' || (at[end] | 0x20) == 'e') return false;
  const std::uint32_t start = colon + 1 + (find(text, '-') >> (colon + 1) & 1U);
  out.value.is_negative = start != colon + 1;
  out.index = join(align_digits(digits_at(at), colon));
  return take_decimal(at + start, end - start, others >> start, find(text, '.') >> start, out.value);
}

#else

inline bool scan_short(const char*, Decimal&) {
  return false;
}

inline bool scan_short(const char*, ShortEntry&) {
  return false;
}

#endif

}  // namespace lockstep
