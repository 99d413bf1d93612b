// SPDX-License-Identifier: Apache-2.0
#include "reduce/exchange_plan.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

namespace lockstep {

namespace {

std::vector<int> first_ranks(const std::vector<int>& sizes) {
  std::vector<int> firsts;
  int next = 0;
  for (const int size : sizes) {
    firsts.push_back(next);
    next += size;
  }
  return firsts;
}

bool can_join_in_pairs(const std::vector<int>& sizes) {
  return std::has_single_bit(sizes.size()) &&
         std::all_of(sizes.begin(), sizes.end(), [&](int size) { return size == sizes[0]; });
}

std::vector<int> places_of(const std::vector<int>& sizes) {
  const std::vector<int> order =
      can_join_in_pairs(sizes) ? halving_places(static_cast<int>(sizes.size())) : std::vector<int>();
  std::vector<std::tuple<int, int, int>> ranks;  // rank on the node, order of the node, rank
  int rank = 0;
  for (std::size_t node = 0; node < sizes.size(); ++node)
    for (int i = 0; i < sizes[node]; ++i)
      ranks.emplace_back(i, order.empty() ? static_cast<int>(node) : order[node], rank++);
  std::sort(ranks.begin(), ranks.end());
  std::vector<int> places(ranks.size());
  for (std::size_t place = 0; place < ranks.size(); ++place)
    places[static_cast<std::size_t>(std::get<2>(ranks[place]))] = static_cast<int>(place);
  return places;
}

}  // namespace

ExchangePlan::ExchangePlan(const ParameterLayout& layout, std::vector<int> node_sizes, int rank,
                           Index largest_piece)
    : sizes_(std::move(node_sizes)),
      firsts_(first_ranks(sizes_)),
      rank_(rank),
      node_(node_of(rank)),
      has_pairs_(can_join_in_pairs(sizes_)),
      slices_(layout, places_of(sizes_)) {
  for (int node = 0; node < nodes(); ++node) cut(layout, node, largest_piece);
  const auto is_later = [](const Piece& a, const Piece& b) { return a.floats.begin > b.floats.begin; };
  std::stable_sort(formed_.begin(), formed_.end(), is_later);
  std::stable_sort(owned_.begin(), owned_.end(), is_later);
}

int ExchangePlan::node_of(int rank) const {
  return static_cast<int>(std::upper_bound(firsts_.begin(), firsts_.end(), rank) - firsts_.begin()) - 1;
}

std::vector<int> ExchangePlan::lane() const {
  std::vector<int> ranks = firsts_;
  for (int& rank : ranks) rank += rank_ - first_rank(node_);
  return ranks;
}

// The slices of others are counted in units of 1/size, so rank i of the node has units [i·n, (i + 1)·n).
void ExchangePlan::cut(const ParameterLayout& layout, int node, Index largest_piece) {
  const auto ranks = static_cast<int>(firsts_.back() + sizes_.back());
  std::vector<int> owners(static_cast<std::size_t>(ranks));
  for (int rank = 0; rank < ranks; ++rank) owners[static_cast<std::size_t>(slices_.place(rank))] = rank;
  std::erase_if(owners, [&](int owner) { return node_of(owner) == node; });
  const Index parts = ranks_of(node);
  const auto others = static_cast<Index>(owners.size());
  for (Index c = 0; c < others; ++c) {
    const int place = slices_.place(owners[static_cast<std::size_t>(c)]);
    const Slice blocks = slices_.blocks(place, place + 1);
    const auto border = [&](Index unit) {
      return blocks.begin +
             (blocks.end - blocks.begin) * std::clamp(unit - c * parts, Index{0}, parts) / parts;
    };
    for (Index i = c * parts / others; i < parts && i * others < (c + 1) * parts; ++i) {
      Piece piece{first_rank(node) + static_cast<int>(i), owners[static_cast<std::size_t>(c)], {}, {}};
      piece.blocks = {border(i * others), border((i + 1) * others)};
      if (piece.former == rank_ || piece.owner == rank_) add_pieces(layout, piece, largest_piece);
    }
  }
}

void ExchangePlan::add_pieces(const ParameterLayout& layout, Piece piece, Index largest_piece) {
  const auto count = static_cast<Index>(layout.blocks().size());
  const auto first_float = [&](Index block) {
    return block < count ? layout.blocks()[static_cast<std::size_t>(block)].begin : layout.size();
  };
  const Slice all = piece.blocks;
  for (Index begin = all.begin; begin < all.end; begin = piece.blocks.end) {
    Index end = begin + 1;
    while (end < all.end && first_float(end + 1) - first_float(begin) <= largest_piece) ++end;
    piece.blocks = {begin, end};
    piece.floats = {first_float(begin), first_float(end)};
    (piece.former == rank_ ? formed_ : owned_).push_back(piece);
  }
}

}  // namespace lockstep
