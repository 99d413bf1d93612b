// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "data/piece_slots.h"

namespace lockstep {

/// The pieces this rank holds in its slots, so many at most; for the next one that which was held longest is
/// let go. All readers of a stream on a rank share them: one that has paused would hold what it does not use.
class HeldPieces {
 public:
  HeldPieces(std::shared_ptr<PieceSlots> slots, Index most);
  ~HeldPieces();
  HeldPieces(const HeldPieces&) = delete;
  HeldPieces& operator=(const HeldPieces&) = delete;

  /// Where the piece is, if it is held; else null.
  const char* find(Index piece) const {
    const int slot = slots_->slot_of(piece);
    return slot >= 0 && piece_in_[static_cast<std::size_t>(slot)] == piece ? slots_->at(slot) : nullptr;
  }
  /// Brings a piece that is not held and holds it; null if there is no slot for it.
  const char* hold(const RowPieces& pieces, Index piece);

 private:
  std::shared_ptr<PieceSlots> slots_;
  std::vector<Index> piece_in_;  // by slot, of those that are held here; else −1
  std::vector<int> held_;        // a ring of slots; −1: none
  std::size_t next_ = 0;
};

}  // namespace lockstep
