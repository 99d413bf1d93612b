// SPDX-License-Identifier: Apache-2.0
#include "data/piece_slots.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "comm/node_communicator.h"
#include "core/aligned.h"

namespace lockstep {

namespace {

constexpr std::size_t kLine = 64;
constexpr int kSpins = 2000;    // before others get the processor
constexpr int kYields = 20000;  // before a piece that another rank reads is read once more

template <class Number>
Number round_up(Number bytes, Number unit) {
  return (bytes + unit - 1) / unit * unit;
}

// This rank's machine: its ranks follow each other.
struct Machine {
  int first = 0, ranks = 1;
};

Machine find_machine(Communicator& communicator) {
  const int mine = communicator.node();
  std::vector<int> nodes(static_cast<std::size_t>(communicator.size()));
  all_gather(communicator, &mine, sizeof mine, nodes.data());
  const auto first = std::find(nodes.begin(), nodes.end(), mine);
  return {static_cast<int>(first - nodes.begin()), static_cast<int>(std::count(first, nodes.end(), mine))};
}

}  // namespace

Index PieceSlots::bytes_beside(Index pieces, Index slots, int ranks) {
  constexpr Index line = kLine;
  return line + round_up(4 * pieces, line) + (1 + ranks) * round_up(4 * slots, line);
}

PieceSlots::PieceSlots(Communicator* communicator, const RowPieces& pieces, Index slots, std::string& why_not)
    : slots_(slots), slot_bytes_(pieces.slot_bytes()) {
  const auto lay_out = [&] {
    owners_at_ = states_at_ + round_up(static_cast<std::size_t>(pieces.count()) * sizeof(State), kLine);
    holds_bytes_ = round_up(static_cast<std::size_t>(slots_) * sizeof(Count), kLine);
    holds_at_ = owners_at_ + holds_bytes_;
    memory_at_ = holds_at_ + static_cast<std::size_t>(ranks_) * holds_bytes_;
    bytes_ = static_cast<Index>(memory_at_ + static_cast<std::size_t>(slots_) * slot_bytes_);
  };
  if (communicator != nullptr && communicator->size() > 1) {
    const Machine machine = find_machine(*communicator);
    ranks_ = machine.ranks;
    rank_ = communicator->rank() - machine.first;
    if (ranks_ > 1) {
      lay_out();
      NodeCommunicator group(*communicator, machine.first, machine.ranks);
      const auto shared = communicator->share_memory(group, static_cast<std::size_t>(bytes_), {}, why_not);
      if (shared != nullptr) {
        memory_ = std::shared_ptr<char>(shared, reinterpret_cast<char*>(shared.get()));
        return;
      }
      slots_ = std::max<Index>(slots_ / ranks_, 1);
      ranks_ = 1;
      rank_ = 0;
    }
  }
  lay_out();
  const auto own = std::make_shared<AlignedVector<char>>(static_cast<std::size_t>(bytes_));
  memory_ = std::shared_ptr<char>(own, own->data());
}

bool PieceSlots::is_held(int slot) const {
  for (int rank = 0; rank < ranks_; ++rank)
    if (holds(rank, slot).load(std::memory_order_seq_cst) > 0) return true;
  return false;
}

// What is in the slot leaves it, unless it is held.
bool PieceSlots::empty(int slot) {
  State& owner = this->owner(slot);
  std::uint32_t held = owner.load(std::memory_order_acquire);
  if (held == 1 || is_held(slot) || !owner.compare_exchange_strong(held, 1)) return false;
  if (held == 0) return true;
  State& state = this->state(static_cast<Index>(held) - 2);
  state.store(1, std::memory_order_seq_cst);
  if (is_held(slot)) {
    state.store(static_cast<std::uint32_t>(slot) + 2, std::memory_order_release);
    owner.store(held, std::memory_order_release);
    return false;
  }
  state.store(0, std::memory_order_release);
  return true;
}

// What came first goes first.
int PieceSlots::take_slot() {
  auto& next = place<std::atomic<std::uint32_t>>(0, 0);
  for (Index tries = 0; tries < 2 * slots_; ++tries) {
    const int slot =
        static_cast<int>(next.fetch_add(1, std::memory_order_relaxed) % static_cast<std::uint32_t>(slots_));
    if (empty(slot)) return slot;
  }
  return kNone;
}

int PieceSlots::read(const RowPieces& pieces, Index piece, bool holds_it) {
  std::uint32_t none = 0;
  if (!state(piece).compare_exchange_strong(none, 1)) return kBusy;
  const int slot = take_slot();
  if (slot == kNone) {
    state(piece).store(0, std::memory_order_release);
    return kNone;
  }
  try {
    pieces.read(piece, memory_.get() + memory_at_ + static_cast<std::size_t>(slot) * slot_bytes_);
  } catch (...) {
    owner(slot).store(0, std::memory_order_release);
    state(piece).store(0, std::memory_order_release);
    throw;
  }
  if (holds_it) holds(rank_, slot).fetch_add(1, std::memory_order_seq_cst);
  state(piece).store(static_cast<std::uint32_t>(slot) + 2, std::memory_order_release);
  owner(slot).store(static_cast<std::uint32_t>(piece) + 2, std::memory_order_release);  // now it may go again
  return slot;
}

int PieceSlots::hold(const RowPieces& pieces, Index piece) {
  for (int waits = 0; waits < kSpins + kYields;) {
    const int slot = slot_of(piece);
    if (slot >= 0) {
      holds(rank_, slot).fetch_add(1, std::memory_order_seq_cst);
      if (static_cast<int>(state(piece).load(std::memory_order_seq_cst)) - 2 == slot) return slot;
      release(slot);
    } else if (slot == kNone) {
      const int read_into = read(pieces, piece, true);
      if (read_into != kBusy) return read_into;
    }
    if (++waits < kSpins)
      _mm_pause();
    else
      std::this_thread::yield();
  }
  return kNone;
}

void PieceSlots::release(int slot) {
  holds(rank_, slot).fetch_sub(1, std::memory_order_release);
}

}  // namespace lockstep
