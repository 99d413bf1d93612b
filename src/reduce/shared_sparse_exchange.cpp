// SPDX-License-Identifier: Apache-2.0
#include "reduce/shared_sparse_exchange.h"

#include <algorithm>
#include <utility>

#include "core/clock.h"
#include "lockstep/core/canonical_tree.h"

namespace lockstep {

namespace {

constexpr std::size_t kPage = 4096;

std::size_t take(std::size_t& end, std::size_t bytes) {
  const std::size_t begin = end;
  end += (bytes + kPage - 1) / kPage * kPage;
  return begin;
}

}  // namespace

std::unique_ptr<SparseExchange> SharedSparseExchange::create(const SparseContext& context,
                                                             std::string& why_not) {
  std::unique_ptr<SharedSparseExchange> made(new SharedSparseExchange(context));
  if (!made->share(context, why_not)) return nullptr;
  return made;
}

bool SharedSparseExchange::share(const SparseContext& context, std::string& why_not) {
  std::size_t end = 0;
  take(end, Flags::bytes_needed(ranks_));
  const auto buffers_of = [&](int rank) {
    const TreeNode hosted = hosted_shards(rank, ranks_, context.shards);
    return static_cast<std::size_t>(CarryStack::depth_needed(hosted.first, hosted.last)) + 1;
  };
  for (int rank = 0; rank < ranks_; ++rank) {
    const auto keys = static_cast<std::size_t>(capacities_[index(rank)]);
    const auto floats = keys * static_cast<std::size_t>(width_) + static_cast<std::size_t>(rest_size_);
    Part part;
    part.count = take(end, sizeof(Index));
    part.tails = take(end, (1 + static_cast<std::size_t>(plan_.most_nodes(rank))) * sizeof(Tail));
    part.keys = take(end, keys * sizeof(std::uint32_t));
    part.sums = take(end, buffers_of(rank) * floats * sizeof(float));
    parts_.push_back(part);
  }
  const auto rows = static_cast<std::size_t>((*context.layout)[0].shape.front());
  const std::size_t ages = take(end, context.has_ages ? rows * sizeof(std::uint16_t) : 0);
  const std::size_t metric =
      take(end, context.has_metric ? static_cast<std::size_t>(context.layout->size()) * sizeof(float) : 0);
  const std::size_t weights = take(end, static_cast<std::size_t>(context.layout->size()) * sizeof(float));
  const std::size_t blocks = kMostPerBlock * context.layout->blocks().size();
  const std::size_t block_sets = take(end, 2 * blocks * sizeof(double));
  memory_ = communicator_.share_memory(end, why_not);
  if (!memory_) return false;
  flags_ = std::make_unique<Flags>(communicator_, memory_.get());
  const Part& mine = parts_[index(rank_)];
  keys_ = at<std::uint32_t>(mine.keys);
  weights_ = at<float>(weights);
  block_sets_[0] = at<double>(block_sets);
  block_sets_[1] = block_sets_[0] + blocks;
  for (std::size_t i = 0; i < buffers_of(rank_); ++i)
    buffers_.push_back(at<float>(mine.sums) + static_cast<Index>(i) * (compact_rest_ + rest_size_));
  if (context.has_ages) ages_ = at<std::uint16_t>(ages);
  if (context.has_metric) metric_ = at<float>(metric);
  return true;
}

void SharedSparseExchange::round() {
  const double start = now_seconds();
  flags_->round();
  exchange_seconds_ += now_seconds() - start;
}

void SharedSparseExchange::collect(Index count, const LocalSums& mine, Tail& total) {
  const Part& own = parts_[index(rank_)];
  *at<Index>(own.count) = count;
  Tail* const tails = at<Tail>(own.tails);
  tails[0] = Tail{};
  tails[0].votes = mine.votes;
  std::copy(mine.tails.begin(), mine.tails.end(), tails + 1);
  round();  // all keys and sums are there
  tails_.clear();
  for (int rank = 0; rank < ranks_; ++rank) {
    const Part& part = parts_[index(rank)];
    const std::size_t nodes = plan_.nodes(rank).size();
    tails_.insert(tails_.end(), at<Tail>(part.tails), at<Tail>(part.tails) + 1 + nodes);
    const std::uint32_t* const theirs = at<std::uint32_t>(part.keys);
    const Slice range = range_of(theirs, nodes > 0 ? *at<Index>(part.count) : 0, rows());
    lists_[index(rank)] = {theirs + range.begin, theirs + range.end};
    const Index rest = capacities_[index(rank)] * width_;
    for (std::size_t i = 0; i < nodes; ++i) {
      const float* const sums = at<float>(part.sums) + static_cast<Index>(i) * (rest + rest_size_);
      operands_.push_back(sums + range.begin * width_);
      rests_of_operands_.push_back(sums + rest + (SparseExchange::rest().begin - rest_begin_));
    }
  }
  add_tails(total);
}

void SharedSparseExchange::publish(float* values) {
  if (values != weights_) return SparseExchange::publish(values);
  round();
}

void SharedSparseExchange::share_blocks(double* all, int count) {
  double* const shared = block_sets_[std::exchange(block_set_, 1 - block_set_)];
  const Slice mine = blocks_[index(rank_)];
  std::copy(all + mine.begin * count, all + mine.end * count, shared + mine.begin * count);
  round();
  std::copy_n(shared, blocks_.back().end * count, all);
}

}  // namespace lockstep
