// SPDX-License-Identifier: Apache-2.0
#include "core/printable.h"

namespace lockstep {

std::string printable(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_second =
        i > 0 && static_cast<unsigned char>(text[i - 1]) == 0xC2 && byte < 0xA0;  // U+0080 … 9F
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F || is_second)
      result += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    else
      result += text[i];
  }
  return result;
}

}  // namespace lockstep
