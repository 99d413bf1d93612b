// SPDX-License-Identifier: Apache-2.0
#include "core/philox.h"

#include <gtest/gtest.h>

#include <vector>

namespace lockstep::testing {
namespace {

// Random123 makes the single blocks, fill() has its own arithmetic.
TEST(Philox, FillGivesTheWordsOfEveryBlock) {
  const Philox random(0xFEDCBA9876543210, Purpose::kTest, 7, 0xFFFFFFFF);
  for (const std::uint64_t first :
       {std::uint64_t{0}, std::uint64_t{5}, (std::uint64_t{1} << 32) - 3, std::uint64_t{1} << 55})
    for (const std::size_t blocks : {1U, 3U, 4U, 11U}) {
      std::vector<std::uint32_t> words(4 * blocks);
      random.fill(first, words);
      for (std::size_t i = 0; i < blocks; ++i)
        for (std::size_t j = 0; j < 4; ++j)
          ASSERT_EQ(words[4 * i + j], random.words(first + i)[j]) << "block " << first + i << ", word " << j;
    }
}

}  // namespace
}  // namespace lockstep::testing
