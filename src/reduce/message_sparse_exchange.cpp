// SPDX-License-Identifier: Apache-2.0
#include "reduce/message_sparse_exchange.h"

#include <algorithm>
#include <utility>

#include "lockstep/core/canonical_tree.h"

namespace lockstep {

namespace {

std::size_t bytes_of(Index floats) {
  return static_cast<std::size_t>(floats) * sizeof(float);
}

}  // namespace

MessageSparseExchange::MessageSparseExchange(const SparseContext& context, std::string why_not)
    : SparseExchange(context),
      why_not_(std::move(why_not)),
      keys_(static_cast<std::size_t>(capacity_)),
      ages_(context.has_ages ? static_cast<std::size_t>((*context.layout)[0].shape.front()) : 0),
      weights_(static_cast<std::size_t>(context.layout->size())),
      metric_(context.has_metric ? static_cast<std::size_t>(context.layout->size()) : 0),
      ranges_(static_cast<std::size_t>(ranks_)),
      sent_(ranges_.size()),
      counts_(ranges_.size()),
      headers_(ranges_.size()),
      row_floats_(context.has_metric ? 2 * width_ : width_) {
  const TreeNode hosted = hosted_shards(rank_, ranks_, context.shards);
  const Index buffers = CarryStack::depth_needed(hosted.first, hosted.last) + 1;
  memory_.resize(static_cast<std::size_t>(buffers * (compact_rest_ + rest_size_)));
  for (Index i = 0; i < buffers; ++i) buffers_.push_back(memory_.data() + i * (compact_rest_ + rest_size_));
  Index keys = 0, floats = 0, new_keys = 0;
  for (int rank = 0; rank < ranks_; ++rank) {
    if (rank == rank_) continue;
    const Index most = std::min(capacities_[index(rank)], rows().end - rows().begin);
    keys += most;
    floats += plan_.most_nodes(rank) * (most * width_ + rest().end - rest().begin);
    new_keys += most_touched(rank);
  }
  received_keys_.resize(static_cast<std::size_t>(keys));
  received_.resize(static_cast<std::size_t>(floats));
  const auto mine = static_cast<std::size_t>(plan_.most_nodes(rank_));
  if (ranks_ == 1) return;
  sent_values_.resize(static_cast<std::size_t>(most_touched(rank_) * row_floats_));
  new_keys_.resize(static_cast<std::size_t>(new_keys));
  new_values_.resize(static_cast<std::size_t>(new_keys * row_floats_));
  my_tails_.reserve(1 + mine);
  sends_.reserve((1 + 2 * mine) * ranges_.size() + 3 * ranges_.size());
  receives_.reserve(2 * static_cast<std::size_t>(plan_.operands()) + 3 * ranges_.size());
}

void MessageSparseExchange::collect(Index count, const LocalSums& mine, Tail& total) {
  tell_counts(count, mine);
  post_sums(mine);
  if (ranks_ > 1) exchange();
  add_tails(total);
}

void MessageSparseExchange::tell_counts(Index count, const LocalSums& mine) {
  my_tails_.assign(1, Tail{});
  my_tails_[0].votes = mine.votes;
  my_tails_.insert(my_tails_.end(), mine.tails.begin(), mine.tails.end());
  tails_.assign(ranges_.size() + static_cast<std::size_t>(plan_.operands()), Tail{});
  sends_.clear();
  receives_.clear();
  for (int peer = 0; peer < ranks_; ++peer) {
    Tail* const tails = tails_.data() + peer + plan_.first_operand(peer);
    const Slice range = ranges_[index(peer)] = range_of(keys_.data(), count, rows_[index(peer)]);
    sent_[index(peer)] = range.end - range.begin;
    if (peer == rank_) {
      std::copy(my_tails_.begin(), my_tails_.end(), tails);
      continue;
    }
    sends_.push_back({peer, &sent_[index(peer)], sizeof(Index)});
    sends_.push_back({peer, my_tails_.data(), my_tails_.size() * sizeof(Tail)});
    receives_.push_back({peer, &counts_[index(peer)], sizeof(Index)});
    receives_.push_back({peer, tails, (1 + plan_.nodes(peer).size()) * sizeof(Tail)});
  }
  if (ranks_ > 1) exchange();
}

void MessageSparseExchange::post_sums(const LocalSums& mine) {
  sends_.clear();
  receives_.clear();
  std::uint32_t* next_key = received_keys_.data();
  float* next = received_.data();
  const Slice rest = SparseExchange::rest();
  for (int peer = 0; peer < ranks_; ++peer) {
    const Slice range = ranges_[index(peer)];
    const std::size_t nodes = plan_.nodes(peer).size();
    if (peer == rank_) {
      lists_[index(peer)] = {keys_.data() + range.begin, keys_.data() + range.end};
      for (std::size_t i = 0; i < nodes; ++i) {
        operands_.push_back(buffers_[i] + range.begin * width_);
        rests_of_operands_.push_back(buffers_[i] + compact_rest_ + (rest.begin - rest_begin_));
      }
      continue;
    }
    const Slice theirs = rests_[index(peer)];
    sends_.push_back({peer, keys_.data() + range.begin,
                      static_cast<std::size_t>(sent_[index(peer)]) * sizeof(std::uint32_t)});
    for (std::size_t i = 0; i < mine.nodes.size(); ++i) {
      sends_.push_back({peer, buffers_[i] + range.begin * width_, bytes_of(sent_[index(peer)] * width_)});
      sends_.push_back({peer, buffers_[i] + compact_rest_ + (theirs.begin - rest_begin_),
                        bytes_of(theirs.end - theirs.begin)});
    }
    const Index count = counts_[index(peer)];
    receives_.push_back({peer, next_key, static_cast<std::size_t>(count) * sizeof(std::uint32_t)});
    lists_[index(peer)] = {next_key, static_cast<std::size_t>(count)};
    next_key += count;
    for (std::size_t i = 0; i < nodes; ++i) {
      operands_.push_back(next);
      receives_.push_back({peer, next, bytes_of(count * width_)});
      next += count * width_;
      rests_of_operands_.push_back(next);
      receives_.push_back({peer, next, bytes_of(rest.end - rest.begin)});
      next += rest.end - rest.begin;
    }
  }
}

void MessageSparseExchange::publish_keys(std::span<const std::uint32_t> touched) {
  if (ranks_ == 1) return;
  Header mine;
  mine.count = static_cast<Index>(touched.size());
  if (!touched.empty() && !ages_.empty()) mine.age = ages_[touched[0]];
  all_gather(communicator_, &mine, sizeof mine, headers_.data());
  pack(touched);
  sends_.clear();
  receives_.clear();
  const Slice rest = SparseExchange::rest();
  std::uint32_t* keys = new_keys_.data();
  float* values = new_values_.data();
  for (int peer = 0; peer < ranks_; ++peer) {
    if (peer == rank_) continue;
    const Index count = headers_[index(peer)].count;
    const Slice theirs = rests_[index(peer)];
    sends_.push_back({peer, touched.data(), touched.size() * sizeof(std::uint32_t)});
    sends_.push_back({peer, sent_values_.data(), bytes_of(mine.count * row_floats_)});
    sends_.push_back({peer, weights_.data() + rest.begin, bytes_of(rest.end - rest.begin)});
    receives_.push_back({peer, keys, static_cast<std::size_t>(count) * sizeof(std::uint32_t)});
    receives_.push_back({peer, values, bytes_of(count * row_floats_)});
    receives_.push_back({peer, weights_.data() + theirs.begin, bytes_of(theirs.end - theirs.begin)});
    keys += count;
    values += count * row_floats_;
  }
  exchange();
  keys = new_keys_.data();
  values = new_values_.data();
  for (int peer = 0; peer < ranks_; ++peer) {
    if (peer == rank_) continue;
    unpack(peer, keys, values);
    keys += headers_[index(peer)].count;
    values += headers_[index(peer)].count * row_floats_;
  }
}

void MessageSparseExchange::pack(std::span<const std::uint32_t> touched) {
  float* out = sent_values_.data();
  for (const std::uint32_t key : touched) {
    const Index from = static_cast<Index>(key) * width_;
    out = std::copy_n(weights_.data() + from, width_, out);
    if (!metric_.empty()) out = std::copy_n(metric_.data() + from, width_, out);
  }
}

void MessageSparseExchange::unpack(int rank, const std::uint32_t* touched, const float* values) {
  const Header& header = headers_[index(rank)];
  for (Index i = 0; i < header.count; ++i, values += row_floats_) {
    const Index to = static_cast<Index>(touched[i]) * width_;
    std::copy_n(values, width_, weights_.data() + to);
    if (!metric_.empty()) std::copy_n(values + width_, width_, metric_.data() + to);
    if (!ages_.empty()) ages_[touched[i]] = static_cast<std::uint16_t>(header.age);
  }
}

void MessageSparseExchange::publish_all() {
  publish(weights_.data());
  if (!metric_.empty()) publish(metric_.data());
  if (ages_.empty() || ranks_ == 1) return;
  sends_.clear();
  receives_.clear();
  const auto bytes = [](Slice rows) {
    return static_cast<std::size_t>(rows.end - rows.begin) * sizeof(std::uint16_t);
  };
  for (int peer = 0; peer < ranks_; ++peer) {
    if (peer == rank_) continue;
    const Slice theirs = rows_[index(peer)];
    sends_.push_back({peer, ages_.data() + rows().begin, bytes(rows())});
    receives_.push_back({peer, ages_.data() + theirs.begin, bytes(theirs)});
  }
  exchange();
}

}  // namespace lockstep
