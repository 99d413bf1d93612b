// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace lockstep {

/// A label of a cache file in memory: its number, or a NaN with the code of its text.
inline double text_label(std::uint32_t code) {
  return std::bit_cast<double>(0x7FF8000000000000ULL | code);
}

inline std::uint32_t label_code(double label) {
  return static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(label));
}

/// Whether a label is the same as float32.
inline bool is_short_label(double label) {
  if (std::isnan(label)) return label_code(label) < (1U << 22);
  return static_cast<double>(static_cast<float>(label)) == label;
}

inline void store_label(double label, std::uint32_t bytes, char* out) {
  if (bytes == sizeof label) return static_cast<void>(std::memcpy(out, &label, sizeof label));
  const float number =
      std::isnan(label) ? std::bit_cast<float>(0x7FC00000U | label_code(label)) : static_cast<float>(label);
  std::memcpy(out, &number, sizeof number);
}

inline double load_label(const char* in, std::uint32_t bytes) {
  double label = 0;
  if (bytes == sizeof label) {
    std::memcpy(&label, in, sizeof label);
    return label;
  }
  float number = 0;
  std::memcpy(&number, in, sizeof number);
  if (!std::isnan(number)) return static_cast<double>(number);
  return text_label(std::bit_cast<std::uint32_t>(number) & 0x3FFFFFU);
}

}  // namespace lockstep
