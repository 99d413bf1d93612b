// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comm/flags.h"
#include "reduce/sparse_exchange.h"

namespace lockstep {

/// Between ranks of one node, in memory they share: keys and sums are read where their ranks wrote them, and
/// there is one copy of the weights. Two rounds of flags a step, and one for the norms.
class SharedSparseExchange final : public SparseExchange {
 public:
  /// Collective. Null on all ranks where memory cannot be shared; `why_not` says why.
  static std::unique_ptr<SparseExchange> create(const SparseContext& context, std::string& why_not);

  std::uint32_t* keys() override { return keys_; }
  std::span<float* const> buffers() override { return buffers_; }
  std::uint16_t* ages() override { return ages_; }
  float* metric() override { return metric_; }
  float* weights() override { return weights_; }
  Sharers sharers() const override { return {rank_, ranks_}; }
  void publish(float* values) override;
  void share_blocks(double* all, int count) override;
  std::string transport() const override { return "shared memory"; }
  void publish_keys(std::span<const std::uint32_t>) override { round(); }
  void publish_all() override { round(); }
  void publish_nothing() override { round(); }

 private:
  /// What a rank tells of itself, and where, in bytes from the start of the shared memory.
  struct Part {
    std::size_t count = 0;  ///< one Index
    std::size_t tails = 0;
    std::size_t keys = 0;
    std::size_t sums = 0;
  };

  explicit SharedSparseExchange(const SparseContext& context) : SparseExchange(context) {}
  bool share(const SparseContext& context, std::string& why_not);
  void collect(Index count, const LocalSums& mine, Tail& total) override;
  void round();
  template <class T>
  T* at(std::size_t place) const {
    return reinterpret_cast<T*>(memory_.get() + place);
  }

  std::shared_ptr<std::byte> memory_;
  std::unique_ptr<Flags> flags_;
  std::vector<Part> parts_;  ///< by rank
  std::uint32_t* keys_ = nullptr;
  std::uint16_t* ages_ = nullptr;
  float* metric_ = nullptr;
  float* weights_ = nullptr;
  double* block_sets_[2] = {};  ///< in turn: a set is written again when all have read it
  int block_set_ = 0;
  std::vector<float*> buffers_;
};

}  // namespace lockstep
