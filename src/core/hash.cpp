// SPDX-License-Identifier: Apache-2.0
#include "core/hash.h"

#include <xxhash.h>

#include <array>
#include <cstdio>

namespace lockstep {

Hash::Hash() : state_(XXH3_createState()) {
  XXH3_128bits_reset(state_.get());
}
Hash::~Hash() = default;
Hash::Hash(Hash&&) noexcept = default;
Hash& Hash::operator=(Hash&&) noexcept = default;

void Hash::Free::operator()(XXH3_state_s* state) const {
  XXH3_freeState(state);
}

void Hash::add(const void* data, std::size_t size) {
  XXH3_128bits_update(state_.get(), data, size);
}

std::string Hash::hex() const {
  const XXH128_hash_t digest = XXH3_128bits_digest(state_.get());
  std::array<char, 33> text{};
  std::snprintf(text.data(), text.size(), "%016llx%016llx", static_cast<unsigned long long>(digest.high64),
                static_cast<unsigned long long>(digest.low64));
  return text.data();
}

std::string hash_hex(const void* data, std::size_t size) {
  Hash hash;
  hash.add(data, size);
  return hash.hex();
}

std::uint64_t hash_bits(const void* data, std::size_t size, std::uint64_t seed) {
  return XXH3_64bits_withSeed(data, size, seed);
}

}  // namespace lockstep
