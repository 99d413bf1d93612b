// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lockstep {

/// The text with control characters as "\x1b", but for line ends and tabs: a terminal obeys those that a file
/// smuggles into a message.
std::string printable(std::string_view text);

}  // namespace lockstep
