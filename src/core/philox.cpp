// SPDX-License-Identifier: Apache-2.0
#include "core/philox.h"

#include <immintrin.h>

#include <algorithm>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// Multipliers and key increments of Philox4x32 (Salmon et al., 2011).
constexpr int kMultiplier0 = static_cast<int>(0xD2511F53), kMultiplier1 = static_cast<int>(0xCD9E8D57);
constexpr std::uint32_t kIncrement0 = 0x9E3779B9, kIncrement1 = 0xBB67AE85;

__m256i broadcast(std::uint32_t word) {
  return _mm256_set1_epi32(static_cast<int>(word));
}

}  // namespace

// Four blocks at once: a word of each block in the low half of every 64-bit lane, what the high half holds is
// never read by the multiplication.
void Philox::fill(std::uint64_t first, std::span<std::uint32_t> out) const {
  LOCKSTEP_CHECK_EQ(out.size() % 4, std::size_t{0});
  const __m256i multiplier0 = _mm256_set1_epi32(kMultiplier0), multiplier1 = _mm256_set1_epi32(kMultiplier1);
  std::size_t done = 0;
  for (; done + 16 <= out.size(); done += 16, first += 4) {
    const auto base = static_cast<long long>(first);
    const __m256i index = _mm256_add_epi64(_mm256_set1_epi64x(base), _mm256_setr_epi64x(0, 1, 2, 3));
    __m256i c0 = index, c1 = _mm256_xor_si256(_mm256_srli_epi64(index, 32), broadcast(purpose_));
    __m256i c2 = broadcast(a_), c3 = broadcast(b_);
    std::uint32_t key0 = key_[0], key1 = key_[1];
    for (int round = 0; round < 10; ++round, key0 += kIncrement0, key1 += kIncrement1) {
      const __m256i product0 = _mm256_mul_epu32(c0, multiplier0),
                    product1 = _mm256_mul_epu32(c2, multiplier1);
      c0 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(product1, 32), c1), broadcast(key0));
      c2 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(product0, 32), c3), broadcast(key1));
      c1 = product1;
      c3 = product0;
    }
    const __m256i low = _mm256_set1_epi64x(0xFFFFFFFF);
    const __m256i even = _mm256_or_si256(_mm256_and_si256(c0, low), _mm256_slli_epi64(c1, 32));
    const __m256i odd = _mm256_or_si256(_mm256_and_si256(c2, low), _mm256_slli_epi64(c3, 32));
    const __m256i blocks02 = _mm256_unpacklo_epi64(even, odd), blocks13 = _mm256_unpackhi_epi64(even, odd);
    auto* const target = reinterpret_cast<__m256i*>(out.data() + done);
    _mm256_storeu_si256(target, _mm256_permute2x128_si256(blocks02, blocks13, 0x20));
    _mm256_storeu_si256(target + 1, _mm256_permute2x128_si256(blocks02, blocks13, 0x31));
  }
  for (; done < out.size(); done += 4, ++first) {
    const auto four = words(first);
    std::copy(four.begin(), four.end(), out.begin() + static_cast<std::ptrdiff_t>(done));
  }
}

}  // namespace lockstep
