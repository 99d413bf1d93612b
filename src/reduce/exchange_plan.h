// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "reduce/slices.h"

namespace lockstep {

/// A run of the vector that two nodes have to do with: rank `former` adds it up for its node and sends the
/// subtrees to `owner` on another node, in whose slice it lies. New weights go the other way.
struct Piece {
  int former = 0;
  int owner = 0;
  Slice floats;
  Slice blocks;
};

/// Who adds up, owns and exchanges what: a pure function of the sizes of the nodes and the layout.
///
/// Every rank owns one slice. Slices are ordered by rank on the node, then by node: with N nodes of k ranks
/// there are k "lanes", one rank of each node in every lane, and the slices of a lane follow each other. What
/// a node's ranks do not own, they add up in equal parts, in this order. With equal nodes a rank then
/// exchanges with its lane alone; with others, say 3 + 1 ranks, the parts of one node meet the slices of the
/// other wherever they overlap.
class ExchangePlan {
 public:
  /// Pieces of at most `largest_piece` floats, or one block.
  ExchangePlan(const ParameterLayout& layout, std::vector<int> node_sizes, int rank, Index largest_piece);

  const Slices& slices() const { return slices_; }
  Slice slice() const { return slices_.of_rank(rank_); }
  Slice blocks() const { return slices_.blocks(slices_.place(rank_), slices_.place(rank_) + 1); }

  int rank() const { return rank_; }
  int nodes() const { return static_cast<int>(sizes_.size()); }
  int node() const { return node_; }
  int ranks_of(int node) const { return sizes_[static_cast<std::size_t>(node)]; }
  int first_rank(int node) const { return firsts_[static_cast<std::size_t>(node)]; }
  int node_of(int rank) const;
  /// The number of a node among the nodes before this one, the ranks of this one, and the nodes behind; of
  /// this one that of its first rank.
  int part_of(int node) const { return node <= node_ ? node : node + ranks_of(node_) - 1; }

  /// The pieces this rank adds up for others, and those others add up for it. From the end of the vector to
  /// its start, as gradients come.
  std::span<const Piece> formed() const { return formed_; }
  std::span<const Piece> owned() const { return owned_; }

  /// Nodes have the same size and their number is a power of two: the ranks of a lane can join in pairs.
  bool has_pairs() const { return has_pairs_; }
  /// The ranks of this rank's lane, by node; with has_pairs().
  std::vector<int> lane() const;

 private:
  void cut(const ParameterLayout& layout, int node, Index largest_piece);
  void add_pieces(const ParameterLayout& layout, Piece piece, Index largest_piece);

  std::vector<int> sizes_;
  std::vector<int> firsts_;
  int rank_;
  int node_;
  bool has_pairs_;
  Slices slices_;
  std::vector<Piece> formed_, owned_;
};

}  // namespace lockstep
