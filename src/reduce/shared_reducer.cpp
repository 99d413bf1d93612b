// SPDX-License-Identifier: Apache-2.0
#include "reduce/shared_reducer.h"

#include <algorithm>
#include <utility>

#include "lockstep/core/error.h"
#include "reduce/add_floats.h"

namespace lockstep {

namespace {

constexpr Index kTile = 2048;  // floats: the partial sums of a tile stay in the first-level cache
constexpr std::size_t kPage = 4096;

std::size_t take(std::size_t& end, std::size_t bytes) {
  const std::size_t begin = end;
  end += (bytes + kPage - 1) / kPage * kPage;
  return begin;
}

std::size_t buffer_count(int rank, int ranks, int shards) {
  const TreeNode hosted = hosted_shards(rank, ranks, shards);
  return static_cast<std::size_t>(CarryStack::depth_needed(hosted.first, hosted.last)) + 1;
}

}  // namespace

SharedReducer::Layout SharedReducer::lay_out(const ReducerContext& context, const TreePlan& plan) {
  const int ranks = context.communicator->size();
  const std::size_t vector_bytes = static_cast<std::size_t>(context.layout->size()) * sizeof(float);
  Layout layout;
  layout.end = Flags::bytes_needed(ranks);
  layout.end = (layout.end + kPage - 1) / kPage * kPage;
  for (int rank = 0; rank < ranks; ++rank)
    layout.tails_of.push_back(
        take(layout.end,
             std::max(static_cast<std::size_t>(plan.most_nodes(rank)), std::size_t{1}) * sizeof(Tail)));
  layout.blocks = take(layout.end, 2 * kMostPerBlock * context.layout->blocks().size() * sizeof(double));
  layout.weights = take(layout.end, vector_bytes);
  layout.staging = take(layout.end, vector_bytes);
  for (int rank = 0; rank < ranks; ++rank)
    layout.sums_of.push_back(take(layout.end, buffer_count(rank, ranks, context.shards) * vector_bytes));
  return layout;
}

std::unique_ptr<GradientReducer> SharedReducer::create(const ReducerContext& context, std::string& why_not) {
  const Layout layout = lay_out(context, TreePlan(context.communicator->size(), context.shards));
  auto memory = context.communicator->share_memory(layout.end, why_not);
  if (!memory) return nullptr;
  return std::unique_ptr<GradientReducer>(new SharedReducer(context, layout, std::move(memory)));
}

SharedReducer::SharedReducer(const ReducerContext& context, const Layout& layout,
                             std::shared_ptr<std::byte> memory)
    : communicator_(*context.communicator),
      rank_(communicator_.rank()),
      ranks_(communicator_.size()),
      layout_(layout),
      memory_(std::move(memory)),
      flags_(communicator_, memory_.get()),
      slices_(*context.layout, ranks_),
      plan_(ranks_, context.shards),
      size_(context.layout->size()),
      slice_(slices_.of_rank(rank_)),
      weights_(reinterpret_cast<float*>(memory_.get() + layout.weights)),
      staging_(reinterpret_cast<float*>(memory_.get() + layout.staging)),
      block_count_(context.layout->blocks().size()),
      sum_(static_cast<std::size_t>(slice_.end - slice_.begin)) {
  blocks_[0] = reinterpret_cast<double*>(memory_.get() + layout.blocks);
  blocks_[1] = blocks_[0] + block_count_ * kMostPerBlock;
  auto* const mine =
      reinterpret_cast<float*>(memory_.get() + layout.sums_of[static_cast<std::size_t>(rank_)]);
  for (std::size_t i = 0; i < buffer_count(rank_, ranks_, context.shards); ++i)
    buffers_.push_back(mine + static_cast<Index>(i) * size_);
  const auto operands = static_cast<std::size_t>(plan_.operands());
  operands_.reserve(operands);
  values_.reserve(operands);
  tails_.reserve(operands);
  planned_rows_.assign(static_cast<std::size_t>(context.shards), 1);
  tiles_.resize(operands * kTile);
}

void SharedReducer::round() {
  const std::uint64_t start = now_ticks();
  flags_.round();
  exchange_ticks_ += now_ticks() - start;
}

float* SharedReducer::reduce(const LocalSums& mine, Tail& total) {
  meet(mine, total);
  add_operands(sum_.data());
  return sum_.data();
}

const float* SharedReducer::sum(const LocalSums& mine, Tail& total) {
  meet(mine, total);
  add_operands(weights_ + slice_.begin);
  round();
  return weights_;
}

// Afterwards all partial sums are there.
void SharedReducer::meet(const LocalSums& mine, Tail& total) {
  update_plan(mine.has_rows);
  LOCKSTEP_CHECK_EQ(mine.nodes.size(), plan_.nodes(rank_).size());
  Tail* const tails = tails_of(rank_);
  tails[0] = Tail{};
  std::copy(mine.tails.begin(), mine.tails.end(), tails);
  tails[0].votes |= mine.votes;
  round();
  collect_tails(total);
}

// Nearly every step has rows in the same shards as the one before.
void SharedReducer::update_plan(std::span<const char> has_rows) {
  if (std::ranges::equal(has_rows, planned_rows_)) return;
  plan_.update(has_rows);
  planned_rows_.assign(has_rows.begin(), has_rows.end());
}

void SharedReducer::collect_tails(Tail& total) {
  tails_.clear();
  std::uint64_t votes = 0;
  for (int rank = 0; rank < ranks_; ++rank) {
    const Tail* const theirs = tails_of(rank);
    votes |= theirs[0].votes;
    tails_.insert(tails_.end(), theirs, theirs + plan_.nodes(rank).size());
  }
  for (const TreePlan::Addition& addition : plan_.additions())
    tails_[static_cast<std::size_t>(addition.left)].add(tails_[static_cast<std::size_t>(addition.right)]);
  total = tails_.empty() ? Tail{} : tails_[0];
  total.votes |= votes;
}

void SharedReducer::add_operands(float* out) {
  operands_.clear();
  for (int rank = 0; rank < ranks_; ++rank) {
    const auto* const theirs =
        reinterpret_cast<const float*>(memory_.get() + layout_.sums_of[static_cast<std::size_t>(rank)]);
    for (std::size_t i = 0; i < plan_.nodes(rank).size(); ++i)
      operands_.push_back(theirs + static_cast<Index>(i) * size_ + slice_.begin);
  }
  const Index count = slice_.end - slice_.begin;
  if (operands_.empty()) {
    std::fill_n(out, count, 0.0F);
    return;
  }
  for (Index begin = 0; begin < count; begin += kTile) add_tile(begin, std::min(kTile, count - begin), out);
}

// Nobody writes to the sums of another rank: a partial sum goes to a tile of this rank's own, the last one to
// `sum`.
void SharedReducer::add_tile(Index begin, Index count, float* sum) {
  values_.clear();
  for (const float* operand : operands_) values_.push_back(operand + begin);
  const auto additions = plan_.additions();
  if (additions.empty()) std::copy_n(values_[0], count, sum + begin);
  for (std::size_t i = 0; i < additions.size(); ++i) {
    const auto left = static_cast<std::size_t>(additions[i].left);
    const auto right = static_cast<std::size_t>(additions[i].right);
    float* const out = i + 1 == additions.size() ? sum + begin : tiles_.data() + left * kTile;
    add_to(out, values_[left], values_[right], count);
    values_[left] = out;
  }
}

void SharedReducer::publish(float* values) {
  if (values == weights_) return round();
  std::copy(values + slice_.begin, values + slice_.end, staging_ + slice_.begin);
  round();
  for (int rank = 0; rank < ranks_; ++rank) {
    const Slice theirs = slices_.of_rank(rank);
    if (rank != rank_) std::copy(staging_ + theirs.begin, staging_ + theirs.end, values + theirs.begin);
  }
  round();  // staging_ is free again
}

// Two sets in turn: when a set is written again, all ranks have passed the round after the one they read it
// in.
void SharedReducer::share_blocks(double* all, int count) {
  double* const shared = blocks_[std::exchange(block_set_, 1 - block_set_)];
  const Slice mine = slices_.blocks(slices_.place(rank_), slices_.place(rank_) + 1);
  std::copy(all + mine.begin * count, all + mine.end * count, shared + mine.begin * count);
  round();
  std::copy_n(shared, block_count_ * static_cast<std::size_t>(count), all);
}

double SharedReducer::take_exchange_seconds() {
  return static_cast<double>(std::exchange(exchange_ticks_, 0)) * clock_.seconds_per_tick();
}

}  // namespace lockstep
