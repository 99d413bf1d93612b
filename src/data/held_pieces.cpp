// SPDX-License-Identifier: Apache-2.0
#include "data/held_pieces.h"

#include <algorithm>

namespace lockstep {

HeldPieces::HeldPieces(std::shared_ptr<PieceSlots> slots, Index most)
    : slots_(std::move(slots)),
      piece_in_(static_cast<std::size_t>(slots_->slots()), -1),
      held_(static_cast<std::size_t>(std::max<Index>(most, 1)), -1) {}

HeldPieces::~HeldPieces() {
  for (const int slot : held_)
    if (slot >= 0) slots_->release(slot);
}

const char* HeldPieces::hold(const RowPieces& pieces, Index piece) {
  int& oldest = held_[next_];
  if (oldest >= 0) {
    piece_in_[static_cast<std::size_t>(oldest)] = -1;
    slots_->release(oldest);
    oldest = -1;
  }
  const int slot = slots_->hold(pieces, piece);
  if (slot < 0) return nullptr;
  oldest = slot;
  next_ = next_ + 1 == held_.size() ? 0 : next_ + 1;
  piece_in_[static_cast<std::size_t>(slot)] = piece;
  return slots_->at(slot);
}

}  // namespace lockstep
