// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lockstep/comm/communicator.h"
#include "lockstep/reduce/gradient_reducer.h"

namespace lockstep {

/// What a NodeMemory is to hold.
struct NodeNeeds {
  Index floats = 0;                ///< M
  std::size_t blocks = 0;          ///< numbers that a set of blocks has
  std::vector<int> subtrees;       ///< by rank of the node: the most it brings to a step
  std::vector<int> buffers;        ///< by rank of the node: its partial sums
  std::vector<Slice> own_weights;  ///< of the vector: what this rank writes
};

/// What the ranks of one node share: flags, tails, one copy of the weights, and the partial sums of every
/// rank. A rank alone on its node has it in memory of its own. Pages lie near the rank that writes them most.
class NodeMemory {
 public:
  /// Collective in `node`. Null on all its ranks where memory cannot be shared; `why_not` says why.
  static std::unique_ptr<NodeMemory> create(Communicator& node, const NodeNeeds& needs, std::string& why_not);

  std::byte* flags() const { return memory_.get(); }
  /// Of a rank of the node: its votes, then one per subtree.
  Tail* tails(int rank) const { return at<Tail>(tails_[static_cast<std::size_t>(rank)]); }
  /// One of two sets of numbers by block.
  double* blocks(int set) const { return at<double>(blocks_) + static_cast<std::size_t>(set) * block_count_; }
  float* weights() const { return at<float>(weights_); }
  /// M floats for vectors that are not the weights.
  float* staging() const { return at<float>(staging_); }
  /// The partial sums of a rank of the node.
  std::span<float* const> buffers(int rank) const { return buffers_[static_cast<std::size_t>(rank)]; }

 private:
  explicit NodeMemory(const NodeNeeds& needs);
  std::size_t take(std::size_t bytes);
  std::vector<ByteRange> ranges_of(int rank, const NodeNeeds& needs) const;
  void place_buffers(const NodeNeeds& needs);
  template <class T>
  T* at(std::size_t place) const {
    return reinterpret_cast<T*>(memory_.get() + place);
  }

  std::shared_ptr<std::byte> memory_;
  std::size_t block_count_;
  std::size_t vector_bytes_;
  std::vector<std::size_t> tails_, sums_;  ///< by rank; these are all bytes from the start
  std::size_t blocks_ = 0, weights_ = 0, staging_ = 0;
  std::size_t end_ = 0;
  std::vector<std::vector<float*>> buffers_;
};

}  // namespace lockstep
