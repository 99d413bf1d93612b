// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lockstep/core/options.h"

namespace lockstep {

/// Whether an option of this type takes a list.
bool is_list(const OptionValue& value);

/// The value as a TOML literal. Reals are the shortest text that reads back as the same double.
std::string to_literal(const OptionValue& value);

/// One real as the shortest text that reads back as the same double, with a point or an exponent.
std::string to_literal(double value);

/// Cuts what follows `key=` into the words of the declared type: one word as it stands, or the elements of
/// `a,b,c` or `[a, b, c]`. Quotes around a word are taken off.
std::vector<std::string> split_words(const OptionSpec& spec, std::string_view text);

/// The value that the words mean; false where they are not of the declared type.
bool parse_words(const OptionSpec& spec, const std::vector<std::string>& words, OptionValue* value);

/// Whether the value lies in the declared range and choices. The default always does, so that a resolved
/// config runs again.
bool is_allowed(const OptionSpec& spec, const OptionValue& value);

/// What the option takes, for messages: "a number from 0 to 1", "one of relu, tanh".
std::string expectation(const OptionSpec& spec);

/// Elements joined by ", ".
std::string join(const std::vector<std::string>& words);

}  // namespace lockstep
