// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

struct XXH3_state_s;

namespace lockstep {

/// XXH3-128 of bytes given piece by piece.
class Hash {
 public:
  Hash();
  ~Hash();
  Hash(Hash&&) noexcept;
  Hash& operator=(Hash&&) noexcept;

  void add(const void* data, std::size_t size);
  void add(const std::string& text) { add(text.data(), text.size()); }
  /// 32 hexadecimal digits.
  std::string hex() const;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

std::string hash_hex(const void* data, std::size_t size);
/// XXH3-64.
std::uint64_t hash_bits(const void* data, std::size_t size, std::uint64_t seed);

}  // namespace lockstep
