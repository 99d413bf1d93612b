// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "lockstep/comm/communicator.h"
#include "lockstep/core/canonical_tree.h"
#include "lockstep/core/options.h"
#include "lockstep/core/parameter_layout.h"

namespace [[gnu::visibility("default")]] lockstep {

/// The numbers that travel behind the gradient. Sums are added in the canonical tree like the gradient
/// itself; votes are joined by "or".
struct Tail {
  static constexpr int kSums = 6;
  std::array<double, kSums> sums{};  ///< row weight, loss, and what metrics need
  std::uint64_t votes = 0;           ///< stop, save, non-finite …

  void add(const Tail& other);
};

/// A half-open range of the flat vector of parameters, from block border to block border.
struct Slice {
  Index begin = 0;
  Index end = 0;
};

/// Which of the ranks that have the same memory for weights(), neighbours by number, a rank is.
struct Sharers {
  int place = 0;
  int count = 1;
};

/// Who hosts what: P ranks, S shards, M parameters.
struct ReducerContext {
  Communicator* communicator = nullptr;
  const ParameterLayout* layout = nullptr;
  int shards = 1;
  bool shares_memory = true;    ///< ranks of one node may use the same memory
  std::vector<int> node_sizes;  ///< ranks of each node, in order; empty: each machine is one node
  std::string nodes_note;       ///< why nodes are not those that were asked for, for the user
  Index bucket_bytes =
      Index{4} << 20;  ///< what travels between nodes while gradients are computed, at a time
};

/// Shards [⌊rS/P⌋, ⌊(r+1)S/P⌋) that rank r hosts; may be none.
TreeNode hosted_shards(int rank, int ranks, int shards);

/// What one rank brings to a step.
struct LocalSums {
  std::span<const TreeNode>
      nodes;  ///< its complete subtrees in shard order; buffers()[i] holds the sum of node i
  std::span<const Tail> tails;     ///< one per node
  std::uint64_t votes = 0;         ///< of the rank itself, which may have no node
  std::span<const char> has_rows;  ///< S flags, the same on all ranks: which leaves exist in this step
};

/// Adds up the gradients of all ranks and hands every rank its slice of the sum. A step is
/// reduce(), an update of slice() of the weights, publish(); also a step that changes nothing ends with
/// publish(), for only then may buffers() be written again. VectorReduction is the same for a plain vector.
class GradientReducer {
 public:
  virtual ~GradientReducer() = default;

  /// Memory for the partial sums of this rank, by depth of its carry stack, and one more for a shard that
  /// arrives in parts: M floats each, 64-byte aligned, zero at first. reduce() destroys what they hold.
  virtual std::span<float* const> buffers() = 0;

  /// The M weights, zero at first: this rank's own copy, or the one of its node. update() of slice() and
  /// publish() keep it equal on all ranks.
  virtual float* weights() = 0;

  /// With whom this rank shares that copy.
  virtual Sharers sharers() const { return {}; }

  /// What this rank updates. The slices of all ranks cover the vector; with "mpi" each is everything.
  virtual Slice slice() const = 0;

  /// Begins a step, before any sum of it is written. A reducer that exchanges gradients while they are
  /// computed then wants_tensors(); without begin(), reduce() begins. `has_rows` as in LocalSums.
  virtual void begin(std::span<const char> /*has_rows*/) {}
  virtual bool wants_tensors() const { return false; }
  /// This rank has written its last to this tensor in all buffers().
  virtual void ready(int /*tensor*/) {}
  /// Moves on what travels already. Called now and then between begin() and reduce().
  virtual void poll() {}

  /// Collective. Returns the sum of slice() — element i of the vector at result[i − slice().begin], writable,
  /// 64-byte aligned, valid until buffers() are next written — and leaves the sum of all tails in `total`,
  /// the same bits on every rank. Without any rows both are zero.
  virtual float* reduce(const LocalSums& mine, Tail& total) = 0;

  /// Collective. For programs that only add: the whole sum, M floats, in weights(), which it overwrites;
  /// valid until buffers() are next written. It takes the place of reduce() and publish().
  virtual const float* sum(const LocalSums& mine, Tail& total);

  /// Collective. Spreads every rank's slice of `values` (M floats, weights() or another vector) to all.
  virtual void publish(float* values) = 0;

  /// Collective. `all` (`count` ≤ kMostPerBlock numbers per block of the layout, block by block) holds this
  /// rank's blocks; fills in the others'.
  virtual void share_blocks(double* all, int count) = 0;
  static constexpr int kMostPerBlock = 5;

  /// How ranks exchange, for the user: "shared memory", "messages (reason)".
  virtual std::string transport() const = 0;

  /// Seconds spent waiting for and moving bytes since the last call.
  virtual double take_exchange_seconds() = 0;

  /// Of these, since the last call, what went by waiting for other nodes: bytes that no computation hid.
  virtual double take_exposed_seconds() { return 0; }
};

/// One row of src/reduce/registry.cpp.
struct ReducerRow {
  std::string name;
  std::string summary;
  void (*declare)(OptionTable&) = nullptr;
  std::unique_ptr<GradientReducer> (*create)(const ReducerContext&) = nullptr;
};

}  // namespace lockstep
