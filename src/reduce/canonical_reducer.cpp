// SPDX-License-Identifier: Apache-2.0
#include "reduce/canonical_reducer.h"

#include <sched.h>

#include <algorithm>
#include <utility>

#include "core/clock.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr double kLongestPolling_s = 0.001;  // then a rank that waits for others of its node goes to sleep

std::vector<int> sizes_by_machine(Communicator& communicator) {
  const int mine = communicator.node();
  std::vector<int> nodes(static_cast<std::size_t>(communicator.size()));
  all_gather(communicator, &mine, sizeof mine, nodes.data());
  std::vector<int> sizes;
  for (std::size_t rank = 0; rank < nodes.size(); ++rank) {
    if (rank == 0 || nodes[rank] != nodes[rank - 1]) sizes.push_back(0);
    ++sizes.back();
  }
  return sizes;
}

std::vector<int> one_each(const ReducerContext& context) {
  return std::vector<int>(static_cast<std::size_t>(context.communicator->size()), 1);
}

Index largest_piece(const ReducerContext& context) {
  return std::max<Index>(context.bucket_bytes / static_cast<Index>(sizeof(float)), 1);
}

// A rank has at most M/k floats to exchange. Where they are one bucket there is nothing to begin with before
// all is known, and few messages are better than early ones.
bool has_buckets(const ReducerContext& context, const std::vector<int>& node_sizes) {
  const int most = *std::max_element(node_sizes.begin(), node_sizes.end());
  return node_sizes.size() > 1 && context.layout->size() / most > largest_piece(context);
}

}  // namespace

CanonicalReducer::CanonicalReducer(const ReducerContext& context, std::string why_not)
    : CanonicalReducer(context, one_each(context), std::move(why_not)) {
  std::string never;
  share(context, never);
}

CanonicalReducer::CanonicalReducer(const ReducerContext& context, const std::vector<int>& node_sizes,
                                   std::string why_not)
    : why_not_(std::move(why_not)),
      note_(context.nodes_note.empty() ? "" : " (" + context.nodes_note + ")"),
      communicator_(*context.communicator),
      plan_(*context.layout, node_sizes, communicator_.rank(),
            has_buckets(context, node_sizes) ? largest_piece(context) : context.layout->size()),
      node_(communicator_, plan_.first_rank(plan_.node()), plan_.ranks_of(plan_.node())),
      overlaps_(has_buckets(context, node_sizes)),
      exchange_(context, plan_, overlaps_),
      size_(context.layout->size()),
      block_count_(static_cast<Index>(context.layout->blocks().size())),
      is_ready_(context.layout->tensors().size()) {}

CanonicalReducer::~CanonicalReducer() = default;

std::unique_ptr<GradientReducer> CanonicalReducer::create(const ReducerContext& context) {
  std::string why_not;
  if (context.communicator->size() == 1) return std::make_unique<CanonicalReducer>(context);
  if (!context.shares_memory)
    return std::make_unique<CanonicalReducer>(context, "comm.shared_memory = false");
  if (auto shared = create_shared(context, why_not)) return shared;
  return std::make_unique<CanonicalReducer>(context, why_not);
}

std::unique_ptr<GradientReducer> CanonicalReducer::create_shared(const ReducerContext& context,
                                                                 std::string& why_not) {
  std::vector<int> sizes = context.node_sizes;
  if (sizes.empty()) sizes = sizes_by_machine(*context.communicator);
  std::unique_ptr<CanonicalReducer> made(new CanonicalReducer(context, sizes, ""));
  made->share(context, why_not);
  for (const std::string& text : all_gather(*context.communicator, why_not))
    if (!text.empty()) {
      why_not = text;
      return nullptr;
    }
  return made;
}

bool CanonicalReducer::share(const ReducerContext& context, std::string& why_not) {
  NodeNeeds needs;
  needs.floats = size_;
  needs.blocks = kMostPerBlock * context.layout->blocks().size();
  std::size_t operands = 0;
  for (int i = 0; i < node_.size(); ++i) {
    const TreeNode hosted =
        hosted_shards(plan_.first_rank(plan_.node()) + i, communicator_.size(), context.shards);
    needs.subtrees.push_back(exchange_.most_nodes(i));
    needs.buffers.push_back(CarryStack::depth_needed(hosted.first, hosted.last) + 1);
    operands += static_cast<std::size_t>(exchange_.most_nodes(i));
  }
  needs.own_weights.push_back(plan_.slice());
  for (const Piece& piece : plan_.formed()) needs.own_weights.push_back(piece.floats);
  memory_ = NodeMemory::create(node_, needs, why_not);
  if (!memory_) return false;
  flags_ = std::make_unique<Flags>(node_, memory_->flags(), plan_.first_rank(plan_.node()));
  operands_.reserve(operands);
  tails_.reserve(operands);
  return true;
}

void CanonicalReducer::begin(std::span<const char> has_rows) {
  has_begun_ = true;
  ++step_;
  exchange_.begin(has_rows);
  operands_.clear();
  for (int rank = 0; rank < node_.size(); ++rank)
    for (std::size_t i = 0; i < exchange_.nodes(rank).size(); ++i)
      operands_.push_back(memory_->buffers(rank)[i]);
  if (!overlaps_) return;
  std::fill(is_ready_.begin(), is_ready_.end(), 0);
  tensors_ready_ = 0;
}

// Steps and tensors in one number that only grows.
void CanonicalReducer::tell(int tensors) {
  flags_->advance(step_ * (is_ready_.size() + 1) + static_cast<std::uint64_t>(tensors));
}

void CanonicalReducer::ready(int tensor) {
  if (!overlaps_ || !has_begun_) return;
  const auto count = static_cast<int>(is_ready_.size());
  is_ready_[static_cast<std::size_t>(tensor)] = 1;
  while (tensors_ready_ < count && is_ready_[static_cast<std::size_t>(count - 1 - tensors_ready_)] != 0)
    ++tensors_ready_;
  tell(tensors_ready_);
  poll();
}

void CanonicalReducer::poll() {
  if (!overlaps_ || !has_begun_) return;
  const std::uint64_t start = step_ * (is_ready_.size() + 1);
  const std::uint64_t progress = flags_->least_progress();
  if (progress > start) exchange_.send_pieces(static_cast<int>(progress - start), operands_);
  exchange_.advance();
}

void CanonicalReducer::round() {
  const std::uint64_t start = now_ticks();
  flags_->round();
  round_ticks_ += now_ticks() - start;
}

// What the others finish meanwhile may leave at once.
void CanonicalReducer::wait_for_sums() {
  if (!overlaps_) return round();
  const double start = now_seconds();
  const std::uint64_t start_ticks = now_ticks();
  tell(static_cast<int>(is_ready_.size()));
  flags_->arrive();
  while (!flags_->have_all_arrived() && now_seconds() - start < kLongestPolling_s) {
    poll();
    if (node_.is_oversubscribed()) sched_yield();
  }
  flags_->wait();
  round_ticks_ += now_ticks() - start_ticks;
}

float* CanonicalReducer::reduce(const LocalSums& mine, Tail& total) {
  return add(mine, is_alone() ? buffers()[0] : nullptr, total);
}

const float* CanonicalReducer::sum(const LocalSums& mine, Tail& total) {
  if (is_alone() || plan_.nodes() > 1) return GradientReducer::sum(mine, total);
  add(mine, weights(), total);
  round();
  return weights();
}

// `own`: M floats to leave the sum of the slice in, or null.
float* CanonicalReducer::add(const LocalSums& mine, float* own, Tail& total) {
  if (!has_begun_) begin(mine.has_rows);
  const auto nodes = exchange_.nodes(node_.rank());
  LOCKSTEP_CHECK_EQ(mine.nodes.size(), nodes.size());
  LOCKSTEP_CHECK_EQ(mine.tails.size(), nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) LOCKSTEP_CHECK_EQ(mine.nodes[i].first, nodes[i].first);
  Tail* const tails = memory_->tails(node_.rank());
  tails[0] = Tail{};
  tails[0].votes = mine.votes;
  std::copy(mine.tails.begin(), mine.tails.end(), tails + 1);
  wait_for_sums();
  has_begun_ = false;
  std::uint64_t votes = 0;
  tails_.clear();
  for (int rank = 0; rank < node_.size(); ++rank) {
    const Tail* const theirs = memory_->tails(rank);
    votes |= theirs[0].votes;
    tails_.insert(tails_.end(), theirs + 1, theirs + 1 + exchange_.nodes(rank).size());
  }
  return exchange_.reduce(operands_, tails_, votes, own, total);
}

void CanonicalReducer::publish(float* values) {
  if (is_alone()) return exchange_.spread(values, &Piece::floats, 1);
  float* const shared = values == memory_->weights() ? values : memory_->staging();
  const Slice mine = slice();
  if (shared != values) std::copy(values + mine.begin, values + mine.end, shared + mine.begin);
  exchange_.spread(shared, &Piece::floats, 1);
  round();
  if (shared == values) return;
  std::copy(shared, shared + mine.begin, values);
  std::copy(shared + mine.end, shared + size_, values + mine.end);
  round();  // staging() is free again
}

// Two sets in turn: when a set is written again, all ranks have passed the round after the one they read it
// in.
void CanonicalReducer::share_blocks(double* all, int count) {
  if (is_alone()) return exchange_.spread(all, &Piece::blocks, count);
  double* const shared = memory_->blocks(std::exchange(block_set_, 1 - block_set_));
  const Slice mine = plan_.blocks();
  std::copy(all + mine.begin * count, all + mine.end * count, shared + mine.begin * count);
  exchange_.spread(shared, &Piece::blocks, count);
  round();
  std::copy_n(shared, block_count_ * count, all);
}

std::string CanonicalReducer::transport() const {
  const int nodes = plan_.nodes();
  if (!why_not_.empty()) return "messages (" + why_not_ + ")";
  if (nodes == communicator_.size()) return "messages" + note_;
  if (nodes == 1) return "shared memory" + note_;
  int least = node_.size(), most = least;
  for (int node = 0; node < nodes; ++node) {
    least = std::min(least, plan_.ranks_of(node));
    most = std::max(most, plan_.ranks_of(node));
  }
  return "shared memory in " + std::to_string(nodes) + " nodes of " + std::to_string(least) +
         (least < most ? " to " + std::to_string(most) : "") + (most > 1 ? " ranks" : " rank") +
         ", messages between them" + note_;
}

double CanonicalReducer::take_exchange_seconds() {
  const double between = exchange_.take_seconds();
  exposed_seconds_ += between;
  return static_cast<double>(std::exchange(round_ticks_, 0)) * clock_.seconds_per_tick() + between;
}

double CanonicalReducer::take_exposed_seconds() {
  exposed_seconds_ += exchange_.take_seconds();
  return std::exchange(exposed_seconds_, 0.0);
}

}  // namespace lockstep
