// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reduce/sparse_exchange.h"

namespace lockstep {

/// By messages: keys and sums go to their owners, new values of touched keys come back to all, in two rounds
/// each way (how many, then what). Every rank has its own copy of the weights, also on a node of several.
/// Bytes a rank sends for n keys on P ranks, one subtree each: about 4·(1 + width)·n to the owners and P − 1
/// times as much as it owns to the others.
class MessageSparseExchange final : public SparseExchange {
 public:
  /// `why_not`: why ranks do not share memory, for the user.
  MessageSparseExchange(const SparseContext& context, std::string why_not);

  std::uint32_t* keys() override { return keys_.data(); }
  std::span<float* const> buffers() override { return buffers_; }
  std::uint16_t* ages() override { return ages_.data(); }
  float* metric() override { return metric_.data(); }
  float* weights() override { return weights_.data(); }
  std::string transport() const override {
    return why_not_.empty() ? "messages" : "messages (" + why_not_ + ")";
  }
  void publish_keys(std::span<const std::uint32_t> touched) override;
  void publish_all() override;
  void publish_nothing() override {}

 private:
  /// The first message of a publish(): how many keys follow, and their age, which is one.
  struct Header {
    Index count = 0;
    Index age = 0;
  };

  void collect(Index count, const LocalSums& mine, Tail& total) override;
  void tell_counts(Index count, const LocalSums& mine);
  void post_sums(const LocalSums& mine);
  void pack(std::span<const std::uint32_t> touched);
  void unpack(int rank, const std::uint32_t* touched, const float* values);

  std::string why_not_;
  std::vector<std::uint32_t> keys_, received_keys_, new_keys_;
  std::vector<std::uint16_t> ages_;
  AlignedVector<float> weights_, metric_, memory_, received_, sent_values_, new_values_;
  std::vector<float*> buffers_;
  std::vector<Slice> ranges_;         ///< by rank: my keys in its slice
  std::vector<Index> sent_, counts_;  ///< by rank
  std::vector<Header> headers_;       ///< by rank
  std::vector<Tail> my_tails_;
  Index row_floats_;  ///< that travel back per key
};

}  // namespace lockstep
