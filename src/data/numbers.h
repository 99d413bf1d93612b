// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lockstep {

/// Reads a decimal number, a leading '+' included, at the start of [begin, end). Returns where it ends, or
/// null if there is none. The nearest float (double), as std::from_chars has it; what is too small becomes 0,
/// what is too large, "inf" and "nan" are returned as such.
const char* read_number(const char* begin, const char* end, float& out);
const char* read_number(const char* begin, const char* end, double& out);

/// Reads the whole field as a number; false if it is none.
bool read_whole(std::string_view field, double& out);

/// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text);

/// Why a field is no usable number and what was expected: `"1,5" has a decimal comma, write 1.5`.
std::string explain_number(std::string_view field);

/// The shortest text that reads back as this number.
std::string number_text(double number);

}  // namespace lockstep
