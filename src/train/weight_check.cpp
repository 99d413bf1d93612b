// SPDX-License-Identifier: Apache-2.0
#include "train/weight_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "comm/agreement.h"
#include "core/hash.h"

namespace lockstep {

WeightCheck::WeightCheck(Communicator& communicator, const ParameterLayout& layout,
                         const GradientReducer& reducer)
    : communicator_(communicator),
      layout_(layout),
      sharers_(reducer.sharers()),
      parts_(static_cast<std::size_t>(communicator.size())),
      hashes_(static_cast<std::size_t>(communicator.size())) {
  const char is_first = sharers_.place == 0 ? 1 : 0;
  std::vector<char> firsts(parts_.size());
  all_gather(communicator, &is_first, 1, firsts.data());
  copies_ = static_cast<int>(std::count(firsts.begin(), firsts.end(), 1));
}

// Hashes of blocks are added up, so that nodes of different sizes come to the same sum.
std::optional<Verdict> WeightCheck::compare(const float* weights) {
  if (copies_ == 1) return {};
  const auto& blocks = layout_.blocks();
  const auto count = static_cast<Index>(blocks.size());
  const Index begin = count * sharers_.place / sharers_.count;
  const Index end = count * (sharers_.place + 1) / sharers_.count;
  Part mine{static_cast<std::uint64_t>(communicator_.rank() - sharers_.place), 0};
  for (Index i = begin; i < end; ++i) {
    const Block& block = blocks[static_cast<std::size_t>(i)];
    mine.hash +=
        hash_bits(weights + block.begin, static_cast<std::size_t>(block.end - block.begin) * sizeof(float),
                  static_cast<std::uint64_t>(i));
  }
  all_gather(communicator_, &mine, sizeof mine, parts_.data());
  std::fill(hashes_.begin(), hashes_.end(), 0);
  for (const Part& part : parts_) hashes_[part.first] += part.hash;
  const bool are_equal = std::all_of(parts_.begin(), parts_.end(),
                                     [&](const Part& part) { return hashes_[part.first] == hashes_[0]; });
  if (are_equal) return {};
  return judge();
}

Verdict WeightCheck::judge() const {
  std::map<std::uint64_t, int> copies;  // by hash
  for (std::size_t rank = 0; rank < parts_.size(); ++rank)
    if (parts_[rank].first == rank) ++copies[hashes_[rank]];
  const auto most = std::max_element(copies.begin(), copies.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  const bool is_clear = 2 * most->second > copies_;
  Verdict verdict;
  for (std::size_t rank = 0; rank < parts_.size(); ++rank)
    if (!is_clear || hashes_[parts_[rank].first] != most->first)
      verdict.ranks.push_back(static_cast<int>(rank));
  const std::string names = describe_ranks(communicator_, verdict.ranks);
  verdict.text =
      is_clear ? fmt::format("the copy of the weights of {} is not that of the other {} copies", names,
                             most->second)
               : fmt::format("the copies of the weights differ, and nobody knows which is right: {}", names);
  return verdict;
}

}  // namespace lockstep
