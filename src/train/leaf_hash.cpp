// SPDX-License-Identifier: Apache-2.0
#include "train/leaf_hash.h"

#include <bit>

#include "core/hash.h"

namespace lockstep {

namespace {

// Two rounds of the finisher of MurmurHash3, after which every bit of the input counts in every bit.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 33)) * 0xFF51AFD7ED558CCDU;
  x = (x ^ (x >> 33)) * 0xC4CEB9FE1A85EC53U;
  return x ^ (x >> 33);
}

std::uint64_t hash_tensors(const ParameterLayout& layout, std::size_t first, const float* leaf,
                           std::uint64_t hash) {
  for (std::size_t i = first; i < layout.tensors().size(); ++i) {
    const Tensor& tensor = layout.tensors()[i];
    hash = hash_bits(leaf + tensor.offset, static_cast<std::size_t>(tensor.size) * sizeof(float), hash);
  }
  return hash;
}

}  // namespace

std::uint64_t leaf_hash(const ParameterLayout& layout, const float* leaf) {
  return hash_tensors(layout, 0, leaf, 0);
}

std::uint64_t sparse_leaf_hash(const ParameterLayout& layout, const std::uint32_t* keys, const float* leaf) {
  const Tensor& tensor = layout[0];
  const auto width = static_cast<std::uint64_t>(tensor.shape.back());
  const auto rows = static_cast<std::uint64_t>(tensor.size) / width;
  std::uint64_t sum = 0;
  for (std::uint64_t row = 0; row < rows; ++row)
    for (std::uint64_t k = 0; k < width; ++k) {
      const auto bits = std::bit_cast<std::uint32_t>(leaf[row * width + k]);
      if (bits == 0) continue;
      const std::uint64_t place = (keys == nullptr ? row : keys[row]) * width + k;
      sum += mix(place << 32 ^ place >> 32 ^ bits ^ mix(place));
    }
  return hash_tensors(layout, 1, leaf, sum);
}

}  // namespace lockstep
