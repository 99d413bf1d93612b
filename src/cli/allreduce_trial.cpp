// SPDX-License-Identifier: Apache-2.0
#include "cli/allreduce_trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "comm/topology.h"
#include "core/clock.h"
#include "lockstep/core/error.h"
#include "report/statistics.h"

namespace lockstep {

namespace {

constexpr double kLoop_s = 4e-3;
constexpr int kMostLoops = 2000;

// Small enough for sums of thousands of ranks to be exact in a float, in any order.
float element(int rank, Index i) {
  return static_cast<float>((static_cast<Index>(rank) * 31 + i * 7) % 509);
}

// What a rank reads of all vectors for its share of the result, and writes; memcpy() does both with each
// byte.
std::size_t bytes_to_copy(std::size_t bytes, int ranks) {
  const std::size_t moved = bytes + bytes / static_cast<std::size_t>(ranks);
  return std::max<std::size_t>(moved / 2, 1);
}

}  // namespace

AllreduceTrial::AllreduceTrial(Communicator& communicator, const Plugins& plugins, std::size_t bytes)
    : communicator_(communicator),
      is_one_node_(find_topology(communicator).nodes.size() == 1),
      size_(static_cast<Index>(bytes / sizeof(float))),
      own_(make_own_averaging(communicator, plugins, size_)),
      mpi_(make_mpi_averaging(communicator, size_)),
      source_(bytes_to_copy(bytes, communicator.size()), 1),
      target_(source_.size()) {}

void AllreduceTrial::verify() {
  verify(*own_, "lockstep");
  verify(*mpi_, "MPI_Allreduce");
}

void AllreduceTrial::verify(Averaging& averaging, const std::string& name) const {
  float* const input = averaging.input();
  for (Index i = 0; i < size_; ++i) input[i] = element(communicator_.rank(), i);
  averaging.run();
  std::string trouble;
  for (Index i = 0; i < size_ && trouble.empty(); ++i) {
    float expected = 0;
    for (int rank = 0; rank < communicator_.size(); ++rank) expected += element(rank, i);
    if (averaging.output()[i] != expected)
      trouble = fmt::format("{} over {} floats gives {} at {}, expected {}; nothing was timed", name, size_,
                            averaging.output()[i], i, expected);
  }
  for (const std::string& text : all_gather(communicator_, trouble))
    if (!text.empty()) throw AgreedError(ExitCode::kDisagree, text);
}

AllreduceTimes AllreduceTrial::measure(int rounds) {
  const int own_loops = loops_for(seconds_of(*own_, 3)), mpi_loops = loops_for(seconds_of(*mpi_, 3)),
            copy_loops = loops_for(copy_seconds(3));
  std::vector<double> own, mpi, copy, ratio;
  for (int round = 0; round < rounds; ++round) {
    own.push_back(seconds_of(*own_, own_loops));
    mpi.push_back(seconds_of(*mpi_, mpi_loops));
    copy.push_back(slowest(copy_seconds(copy_loops)));
    ratio.push_back(mpi.back() / own.back());
  }
  return {static_cast<std::size_t>(size_) * sizeof(float),
          own_->transport(),
          median(own),
          median(mpi),
          median(copy),
          median(ratio)};
}

// Zeros, so that sums of sums stay finite; what a value is does not matter to time.
void AllreduceTrial::fill(Averaging& averaging) const {
  float* const input = averaging.input();
  for (Index i = 0; i < size_; ++i) input[i] = 0;
}

// From the moment the last rank begins to the moment the last one ends. Between machines, whose clocks
// differ, every rank's own time counts.
double AllreduceTrial::seconds_of(Averaging& averaging, int loops) {
  std::vector<double>& times = times_;  // starts, then ends
  const auto count = static_cast<std::size_t>(loops);
  times.resize(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    fill(averaging);
    barrier(communicator_);
    const double start = now_seconds();
    averaging.run();
    const double end = now_seconds();
    times[i] = is_one_node_ ? start : 0;
    times[count + i] = is_one_node_ ? end : end - start;
  }
  std::vector<double> all(times.size() * static_cast<std::size_t>(communicator_.size()));
  all_gather(communicator_, times.data(), times.size() * sizeof(double), all.data());
  for (std::size_t i = 0; i < all.size(); ++i)
    times[i % times.size()] = std::max(times[i % times.size()], all[i]);
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) total += times[count + i] - times[i];
  return total / loops;
}

double AllreduceTrial::copy_seconds(int loops) {
  barrier(communicator_);
  const double start = now_seconds();
  for (int i = 0; i < loops; ++i) {
    std::memcpy(target_.data(), source_.data(), source_.size());
    __asm__ volatile("" : : "r"(target_.data()) : "memory");
  }
  return (now_seconds() - start) / loops;
}

// All ranks must loop alike.
int AllreduceTrial::loops_for(double seconds) const {
  const double loops = kLoop_s / std::max(slowest(seconds), 1e-9);
  return static_cast<int>(std::clamp(loops, 3.0, static_cast<double>(kMostLoops)));
}

double AllreduceTrial::slowest(double seconds) const {
  std::vector<double> all(static_cast<std::size_t>(communicator_.size()));
  all_gather(communicator_, &seconds, sizeof seconds, all.data());
  return *std::max_element(all.begin(), all.end());
}

}  // namespace lockstep
