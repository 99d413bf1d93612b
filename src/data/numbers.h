// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "data/short_decimal.h"

namespace lockstep {

/// Reads a decimal number, a leading '+' included, at the start of [begin, end). Returns where it ends, or
/// null if there is none. The nearest float (double), as std::from_chars has it; what is too small becomes 0,
/// what is too large, "inf" and "nan" are returned as such.
const char* read_number(const char* begin, const char* end, float& out);
const char* read_number(const char* begin, const char* end, double& out);

/// Reads a finite number where kDecimalPadding bytes can be read behind `at`'s line and a line end stops
/// every number; null if there is none. Exact for any text; fast for decimal text of up to 19 digits.
template <class Float>
const char* read_fast(const char* at, const char* end, Float& out);
/// The same without the fast part.
const char* read_rare(const char* at, const char* end, float& out);
const char* read_rare(const char* at, const char* end, double& out);

/// Reads the whole field as a number; false if it is none.
bool read_whole(std::string_view field, double& out);

/// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text);

/// Why a field is no usable number and what was expected: `"1,5" has a decimal comma, write 1.5`.
std::string explain_number(std::string_view field);

/// The shortest text that reads back as this number.
std::string number_text(double number);

inline bool from_decimal(const Decimal& decimal, float& out) {
  return to_float(decimal, out);
}

inline bool from_decimal(const Decimal& decimal, double& out) {
  return to_double(decimal, out);
}

template <class Float>
inline const char* read_fast(const char* at, const char* end, Float& out) {
  Decimal decimal;
  if (!scan_short(at, decimal)) [[unlikely]]
    decimal = scan_decimal(at);
  if (decimal.rest != nullptr && from_decimal(decimal, out)) [[likely]]
    return decimal.rest;
  return read_rare(at, end, out);
}

}  // namespace lockstep
