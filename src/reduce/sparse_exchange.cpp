// SPDX-License-Identifier: Apache-2.0
#include "reduce/sparse_exchange.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/clock.h"
#include "lockstep/core/error.h"
#include "reduce/add_floats.h"
#include "reduce/message_sparse_exchange.h"
#include "reduce/shared_sparse_exchange.h"

namespace lockstep {

namespace {

// The value, or +0, without a branch: nobody could foretell which keys two ranks have in common.
float value_if(Index is_there, float value) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) & -static_cast<std::uint32_t>(is_there));
}

// A sum to which nothing but zeros comes: −0 becomes +0.
void copy_sums(const float* values, Index count, float* out) {
  for (Index i = 0; i < count; ++i) out[i] = values[i] + 0.0F;
}

}  // namespace

SparseExchange::SparseExchange(const SparseContext& context)
    : communicator_(*context.communicator),
      rank_(communicator_.rank()),
      ranks_(communicator_.size()),
      width_((*context.layout)[0].shape.back()),
      rest_begin_(round_up_16((*context.layout)[0].size)),
      rest_size_(context.layout->size() - rest_begin_),
      capacity_(round_up_16(std::max<Index>(context.most_keys, 1))),
      capacities_(static_cast<std::size_t>(ranks_)),
      plan_(ranks_, context.shards),
      compact_rest_(capacity_ * width_) {
  LOCKSTEP_CHECK_EQ((*context.layout)[0].offset, 0);
  all_gather(communicator_, &capacity_, sizeof capacity_, capacities_.data());
  cut(*context.layout);
  for (const Slice& slice : slices_) {
    const Index last = std::min(slice.end, (*context.layout)[0].size);
    rows_.push_back({std::min(slice.begin, last) / width_, last / width_});
    rests_.push_back({std::max(slice.begin, rest_begin_), std::max(slice.end, rest_begin_)});
  }
  // Every addition makes a list that is no longer than what it adds, and the tree has few levels.
  Index operand_keys = 0;
  for (int rank = 0; rank < ranks_; ++rank)
    operand_keys += plan_.most_nodes(rank) * std::min(capacities_[index(rank)], rows().end - rows().begin);
  const int levels = std::bit_width(static_cast<unsigned>(context.shards)) + 1;
  const auto operands = static_cast<std::size_t>(plan_.operands());
  lists_.resize(static_cast<std::size_t>(ranks_));
  operands_.reserve(operands);
  rests_of_operands_.reserve(operands);
  sums_of_operands_.reserve(operands);
  tails_.reserve(lists_.size() + operands);
  if (operands > 1) {
    keys_of_sums_.resize(static_cast<std::size_t>(levels * operand_keys));
    sums_.resize(static_cast<std::size_t>(levels * operand_keys * width_));
  }
  result_.resize(static_cast<std::size_t>(round_up_16(most_touched(rank_) * width_)));
  rest_sums_.resize(static_cast<std::size_t>(rest().end - rest().begin));
  rest_values_.reserve(operands);
  if (operands > 1) rest_tiles_.resize((operands - 1) * rest_sums_.size());
}

// At block borders that are no inside of a row of the first tensor.
void SparseExchange::cut(const ParameterLayout& layout) {
  std::vector<Slice> borders;  // floats, blocks
  for (std::size_t i = 0; i < layout.blocks().size(); ++i)
    if (const Block& block = layout.blocks()[i]; block.tensor > 0 || block.begin % width_ == 0)
      borders.push_back({block.begin, static_cast<Index>(i)});
  borders.push_back({layout.size(), static_cast<Index>(layout.blocks().size())});
  Slice last = borders[0];
  for (int rank = 0; rank < ranks_; ++rank) {
    const Index target = layout.size() / ranks_ * (rank + 1) + layout.size() % ranks_ * (rank + 1) / ranks_;
    auto nearest = std::lower_bound(borders.begin(), borders.end(), target,
                                    [](const Slice& border, Index at) { return border.begin < at; });
    if (nearest != borders.begin() && target - nearest[-1].begin < nearest->begin - target) --nearest;
    slices_.push_back({last.begin, nearest->begin});
    blocks_.push_back({last.end, nearest->end});
    last = *nearest;
  }
}

// That a step can touch in the slice of `rank`.
Index SparseExchange::most_touched(int rank) const {
  Index most = 0;
  for (const Index capacity : capacities_) most += capacity;
  return std::min(most, rows_[index(rank)].end - rows_[index(rank)].begin);
}

Slice SparseExchange::range_of(const std::uint32_t* keys, Index count, Slice rows) {
  const auto at = [&](Index row) {
    return std::lower_bound(
               keys, keys + count, row,
               [](std::uint32_t key, Index wanted) { return static_cast<Index>(key) < wanted; }) -
           keys;
  };
  return {at(rows.begin), at(rows.end)};
}

SparseExchange::Sums SparseExchange::reduce_keys(Index count, const LocalSums& mine, Tail& total) {
  plan_.update(mine.has_rows);
  LOCKSTEP_CHECK_EQ(mine.nodes.size(), plan_.nodes(rank_).size());
  LOCKSTEP_CHECK_LE(count, capacity_);
  operands_.clear();
  rests_of_operands_.clear();
  collect(count, mine, total);
  add_rest();
  return add_operands();
}

// tails_ holds, rank by rank, the votes and then the tails of the operands.
void SparseExchange::add_tails(Tail& total) {
  std::uint64_t votes = 0;
  std::size_t out = 0, in = 0;
  for (int rank = 0; rank < ranks_; ++rank) {
    votes |= tails_[in++].votes;
    for (std::size_t i = 0; i < plan_.nodes(rank).size(); ++i) tails_[out++] = tails_[in++];
  }
  for (const TreePlan::Addition& addition : plan_.additions())
    tails_[static_cast<std::size_t>(addition.left)].add(tails_[static_cast<std::size_t>(addition.right)]);
  total = plan_.operands() > 0 ? tails_[0] : Tail{};
  total.votes |= votes;
}

// kWidth: of a row, where it is known to the compiler; 0: it is not.
template <int kWidth>
SparseExchange::List SparseExchange::add_lists(const List& left, const List& right, std::uint32_t* keys,
                                               float* values) const {
  const Index width = kWidth > 0 ? kWidth : width_;
  const std::uint32_t *x = left.keys, *y = right.keys;
  const std::uint32_t *const x_end = x + left.count, *const y_end = y + right.count;
  const float *a = left.values, *b = right.values;
  std::uint32_t* key = keys;
  while (x != x_end && y != y_end) {
    const std::uint32_t left_key = *x, right_key = *y;
    const Index has_left = left_key <= right_key ? 1 : 0, has_right = right_key <= left_key ? 1 : 0;
    *key++ = std::min(left_key, right_key);
    for (Index k = 0; k < width; ++k) *values++ = value_if(has_left, a[k]) + value_if(has_right, b[k]);
    x += has_left;
    a += has_left * width;
    y += has_right;
    b += has_right * width;
  }
  copy_sums(a, (x_end - x) * width, values);
  copy_sums(b, (y_end - y) * width, values + (x_end - x) * width);
  key = std::copy(y, y_end, std::copy(x, x_end, key));
  return {keys, nullptr, key - keys};
}

SparseExchange::Sums SparseExchange::add_operands() {
  sums_of_operands_.clear();
  for (int rank = 0; rank < ranks_; ++rank)
    for (std::size_t i = 0; i < plan_.nodes(rank).size(); ++i) {
      const auto& list = lists_[index(rank)];
      sums_of_operands_.push_back(
          {list.data(), operands_[sums_of_operands_.size()], static_cast<Index>(list.size())});
    }
  if (sums_of_operands_.empty()) return {{}, result_.data(), rest_sums_.data()};
  std::uint32_t* keys = keys_of_sums_.data();
  float* values = sums_.data();
  for (const TreePlan::Addition& addition : plan_.additions()) {
    List& left = sums_of_operands_[static_cast<std::size_t>(addition.left)];
    const List& right = sums_of_operands_[static_cast<std::size_t>(addition.right)];
    left = width_ == 1 ? add_lists<1>(left, right, keys, values) : add_lists<0>(left, right, keys, values);
    left.values = values;
    keys += left.count;
    values += left.count * width_;
  }
  // The padding must be zero, and the first float at the start of a cache line.
  const List& sum = sums_of_operands_[0];
  float* const end = std::copy_n(sum.values, sum.count * width_, result_.data());
  std::fill(end, result_.data() + round_up_16(sum.count * width_), 0.0F);
  return {{sum.keys, static_cast<std::size_t>(sum.count)}, result_.data(), rest_sums_.data()};
}

void SparseExchange::add_rest() {
  std::fill(rest_sums_.begin(), rest_sums_.end(), 0.0F);
  if (rest_sums_.empty() || rests_of_operands_.empty()) return;
  const auto count = static_cast<Index>(rest_sums_.size());
  rest_values_.clear();
  std::copy_n(rests_of_operands_[0], count, rest_sums_.data());
  rest_values_.push_back(rest_sums_.data());
  for (std::size_t i = 1; i < rests_of_operands_.size(); ++i) {
    float* const place = rest_tiles_.data() + static_cast<Index>(i - 1) * count;
    std::copy_n(rests_of_operands_[i], count, place);
    rest_values_.push_back(place);
  }
  for (const TreePlan::Addition& addition : plan_.additions())
    add_to_left(rest_values_[static_cast<std::size_t>(addition.left)],
                rest_values_[static_cast<std::size_t>(addition.right)], count);
}

// Steps come by reduce_keys().
float* SparseExchange::reduce(const LocalSums&, Tail&) {
  check_failed(__FILE__, __LINE__, "gradients are sparse", "");
}

void SparseExchange::publish(float* values) {
  sends_.clear();
  receives_.clear();
  const auto bytes = [](Slice slice) {
    return static_cast<std::size_t>(slice.end - slice.begin) * sizeof(float);
  };
  for (int peer = 0; peer < ranks_; ++peer) {
    if (peer == rank_) continue;
    const Slice theirs = slices_[index(peer)];
    sends_.push_back({peer, values + slice().begin, bytes(slice())});
    receives_.push_back({peer, values + theirs.begin, bytes(theirs)});
  }
  if (ranks_ > 1) exchange();
}

void SparseExchange::share_blocks(double* all, int count) {
  sends_.clear();
  receives_.clear();
  const auto bytes = [&](Slice blocks) {
    return static_cast<std::size_t>((blocks.end - blocks.begin) * count) * sizeof(double);
  };
  for (int peer = 0; peer < ranks_; ++peer) {
    if (peer == rank_) continue;
    const Slice mine = blocks_[index(rank_)], theirs = blocks_[index(peer)];
    sends_.push_back({peer, all + mine.begin * count, bytes(mine)});
    receives_.push_back({peer, all + theirs.begin * count, bytes(theirs)});
  }
  if (ranks_ > 1) exchange();
}

void SparseExchange::exchange() {
  const double start = now_seconds();
  communicator_.exchange(sends_, receives_);
  exchange_seconds_ += now_seconds() - start;
}

double SparseExchange::take_exchange_seconds() {
  return std::exchange(exchange_seconds_, 0.0);
}

std::unique_ptr<SparseExchange> make_sparse_exchange(const SparseContext& context, bool shares_memory) {
  std::string why_not = shares_memory ? "" : "comm.shared_memory = false";
  if (context.communicator->size() == 1) return std::make_unique<MessageSparseExchange>(context, "");
  if (shares_memory)
    if (auto shared = SharedSparseExchange::create(context, why_not)) return shared;
  return std::make_unique<MessageSparseExchange>(context, why_not);
}

}  // namespace lockstep
