// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "lockstep/reduce/gradient_reducer.h"
#include "reduce/tree_plan.h"

namespace lockstep {

/// What a SparseExchange is built for. Tensor 0 (D × width) is the sparse one: a "key" is a row of it. The
/// other tensors, "the rest", are dense.
struct SparseContext {
  Communicator* communicator = nullptr;
  const ParameterLayout* layout = nullptr;
  int shards = 1;
  Index most_keys = 0;      ///< that this rank can touch in a step
  bool has_ages = false;    ///< ages() exists
  bool has_metric = false;  ///< metric() exists
};

/// The canonical tree over S shards where a step touches few rows of the first tensor: a rank brings the keys
/// it touched, in ascending order, and the sums of its subtrees for them, and an owner gets the keys that any
/// rank touched in its slice, and their sums. Where one rank did not touch a key of another its sum is +0,
/// as in the dense exchange, so both have the same bits. Cost: O(keys of the step), whatever D.
///
/// Compact vectors: `capacity` rows of the first tensor, padded to 16 floats, then the rest as it lies in the
/// layout.
///
/// For all that is not a step it is a GradientReducer like others, of whole vectors; buffers() are compact,
/// and reduce_keys() takes the place of reduce(). No slice cuts a row of the first tensor.
class SparseExchange : public GradientReducer {
 public:
  /// Rows of a compact vector: most_keys, rounded up.
  Index capacity() const { return capacity_; }
  /// Where this rank writes its keys; valid like buffers().
  virtual std::uint32_t* keys() = 0;
  /// What all ranks know of every row besides the weights: a number of 16 bits (D), and one vector of M
  /// floats. Zero at first; an owner writes its own, and publish_keys() tells the others.
  virtual std::uint16_t* ages() = 0;
  virtual float* metric() = 0;

  Slice slice() const override { return slices_[index(rank_)]; }
  float* reduce(const LocalSums& mine, Tail& total) override;
  void publish(float* values) override;
  void share_blocks(double* all, int count) override;
  double take_exchange_seconds() override;

  /// The sum of this rank's slice.
  struct Sums {
    std::span<const std::uint32_t> keys;  ///< ascending
    float* values = nullptr;              ///< keys × width, zeros up to a multiple of 16; writable
    float* rest = nullptr;                ///< this slice's part of the rest; writable
  };
  /// Collective. `count` keys lie in keys(); mine.nodes as in GradientReducer::reduce(). Valid until the
  /// next step.
  Sums reduce_keys(Index count, const LocalSums& mine, Tail& total);

  /// Collective. Ends a step after which the owners' weights, ages and metrics of these keys, those that
  /// reduce_keys() gave, are new, and the rest. All ranks have them then.
  virtual void publish_keys(std::span<const std::uint32_t> touched) = 0;
  /// Collective. Ends a step after which all weights, ages and metrics of all slices are new.
  virtual void publish_all() = 0;
  /// Collective. Ends a step that changed nothing.
  virtual void publish_nothing() = 0;

  /// Rows of the first tensor in this rank's slice, and its part of the rest in the flat vector.
  Slice rows() const { return rows_[static_cast<std::size_t>(rank_)]; }
  Slice rest() const { return rests_[static_cast<std::size_t>(rank_)]; }
  Index width() const { return width_; }

 protected:
  explicit SparseExchange(const SparseContext& context);

  /// Fills in lists_, operands_, rests_of_operands_ and `total`; returns when this rank may read them.
  virtual void collect(Index count, const LocalSums& mine, Tail& total) = 0;
  void add_tails(Tail& total);
  static Slice range_of(const std::uint32_t* keys, Index count, Slice rows);
  static std::size_t index(int rank) { return static_cast<std::size_t>(rank); }
  Index most_touched(int rank) const;

  /// Calls the communicator, and counts the time.
  void exchange();
  double exchange_seconds_ = 0;
  std::vector<Send> sends_;
  std::vector<Receive> receives_;

  Communicator& communicator_;
  int rank_;
  int ranks_;
  Index width_;
  Index rest_begin_;  ///< of the flat vector
  Index rest_size_;
  Index capacity_;
  std::vector<Index> capacities_;                      ///< of all ranks
  std::vector<Slice> slices_, blocks_, rows_, rests_;  ///< by rank
  TreePlan plan_;
  Index compact_rest_;  ///< where the rest begins in a compact vector of this rank
  std::vector<std::span<const std::uint32_t>> lists_;  ///< by rank: its keys in this slice
  std::vector<const float*> operands_;                 ///< of the plan: sums of these keys
  std::vector<const float*> rests_of_operands_;
  std::vector<Tail> tails_;  ///< P for votes, then one per operand: rank by rank

 private:
  /// Sums by key, both in ascending order of keys.
  struct List {
    const std::uint32_t* keys = nullptr;
    const float* values = nullptr;
    Index count = 0;
  };

  void cut(const ParameterLayout& layout);
  template <int kWidth>
  List add_lists(const List& left, const List& right, std::uint32_t* keys, float* values) const;
  Sums add_operands();
  void add_rest();

  std::vector<List> sums_of_operands_;
  std::vector<std::uint32_t> keys_of_sums_;  ///< of all partial sums of a step, one behind the other
  AlignedVector<float> sums_;
  AlignedVector<float> result_, rest_sums_;
  AlignedVector<float> rest_tiles_;  ///< the rests of all operands but the first
  std::vector<float*> rest_values_;  ///< by operand
};

/// Collective. In memory the ranks share if they can, else by messages; the bits are the same.
std::unique_ptr<SparseExchange> make_sparse_exchange(const SparseContext& context, bool shares_memory);

}  // namespace lockstep
