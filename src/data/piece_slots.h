// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "data/row_pieces.h"
#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Slots for pieces of a cache file, in memory that the ranks of a machine share: what one has read the
/// others need not. Nobody ever waits for a rank that could wait for him: whoever misses a piece reads it,
/// or, where no slot can be had, has it read into memory of its own.
///
/// A piece is in no slot, on its way, or in one; a slot is free, taken by who reads into it, or has a piece.
/// Ranks hold what they use. Who wants a slot marks its piece as on its way and then looks whether anybody
/// holds it; who wants a piece says that he holds its slot and then looks whether the piece is still there:
/// in the one order that sequentially consistent operations have, one of the two sees the other.
class PieceSlots {
 public:
  /// Collective among all ranks of `communicator` (null: one rank alone). Ranks of a machine share `slots`
  /// slots; where memory cannot be shared each has its part of them alone, and `why_not` says why.
  PieceSlots(Communicator* communicator, const RowPieces& pieces, Index slots, std::string& why_not);

  /// Shared memory that `slots` slots of `slot_bytes` for `pieces` pieces take besides the slots themselves.
  static Index bytes_beside(Index pieces, Index slots, int ranks);

  int ranks() const { return ranks_; }  ///< that share these slots
  int rank() const { return rank_; }    ///< this one, among them
  Index slots() const { return slots_; }
  Index bytes() const { return bytes_; }

  static constexpr int kNone = -2, kBusy = -1;
  /// The slot of a piece, kNone or kBusy; may be another in a moment.
  int slot_of(Index piece) const {
    return static_cast<int>(state(piece).load(std::memory_order_acquire)) - 2;
  }
  const char* at(int slot) const {
    return memory_.get() + memory_at_ + static_cast<std::size_t>(slot) * slot_bytes_;
  }

  /// Brings the piece here and holds it until release(): its slot, or kNone if there is none for it.
  int hold(const RowPieces& pieces, Index piece);
  void release(int slot);
  /// Reads the piece if nobody has or does.
  void bring(const RowPieces& pieces, Index piece) {
    if (slot_of(piece) == kNone) read(pieces, piece, false);
  }

 private:
  // Numbers in memory of zeros: 0 none or free, 1 busy or taken, else slot or piece + 2.
  using State = std::atomic<std::uint32_t>;
  using Count = std::atomic<std::uint32_t>;
  static_assert(State::is_always_lock_free, "processes share them");

  State& state(Index piece) const { return place<State>(states_at_, static_cast<std::size_t>(piece)); }
  State& owner(int slot) const { return place<State>(owners_at_, static_cast<std::size_t>(slot)); }
  Count& holds(int rank, int slot) const {
    return place<Count>(holds_at_ + static_cast<std::size_t>(rank) * holds_bytes_,
                        static_cast<std::size_t>(slot));
  }
  template <class T>
  T& place(std::size_t begin, std::size_t at) const {
    return reinterpret_cast<T*>(memory_.get() + begin)[at];
  }
  int read(const RowPieces& pieces, Index piece, bool holds_it);
  int take_slot();
  bool empty(int slot);
  bool is_held(int slot) const;

  int ranks_ = 1, rank_ = 0;
  Index slots_;
  std::size_t slot_bytes_;
  std::size_t states_at_ = 64, owners_at_ = 0, holds_at_ = 0, holds_bytes_ = 0, memory_at_ = 0;
  Index bytes_ = 0;
  std::shared_ptr<char> memory_;
};

}  // namespace lockstep
