// SPDX-License-Identifier: Apache-2.0
#include "data/slot_count.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace lockstep {

namespace {

constexpr int kMostBits = 24;

}  // namespace

SlotCount::SlotCount(int bits) : bits_(bits) {
  if (bits > 0) used_.resize(((std::size_t{1} << std::min(bits, kMostBits)) + 63) / 64);
}

void SlotCount::add(const std::uint32_t* columns, Index count) {
  if (bits_ == 0) return;
  for (Index i = 0; i < count && columns[i] >> kMostBits == 0; ++i)
    used_[columns[i] / 64] |= std::uint64_t{1} << columns[i] % 64;
}

void SlotCount::share(Communicator& communicator) {
  if (bits_ == 0) return;
  const std::string mine(reinterpret_cast<const char*>(used_.data()), used_.size() * sizeof used_[0]);
  for (const std::string& part : all_gather(communicator, mine))
    for (std::size_t i = 0; i < used_.size(); ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, part.data() + i * sizeof word, sizeof word);
      used_[i] |= word;
    }
}

// n features thrown into m slots leave m·exp(−n/m) of them empty.
std::string SlotCount::sentence() const {
  if (bits_ == 0) return "";
  double used = 0;
  for (const std::uint64_t word : used_) used += std::popcount(word);
  const double sample = std::ldexp(1.0, std::min(bits_, kMostBits)), slots = std::ldexp(1.0, bits_);
  const double factor = slots / sample;
  std::string text = "hashing: " + std::string(factor > 1 ? "about " : "") +
                     std::to_string(std::llround(used * factor)) + " of " +
                     std::to_string(std::llround(slots)) + " slots are used by the training rows; ";
  if (used >= sample) return text + "all are full, raise data.hash_bits";
  const double features = -slots * std::log1p(-used / sample);
  return text + "by estimate they stand for " + std::to_string(std::llround(features)) +
         " features, of which " + std::to_string(std::llround(std::max(features - used * factor, 0.0))) +
         " fell to a slot that another one has";
}

}  // namespace lockstep
