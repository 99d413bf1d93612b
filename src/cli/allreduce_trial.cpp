// SPDX-License-Identifier: Apache-2.0
#include "cli/allreduce_trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/clock.h"
#include "lockstep/core/error.h"
#include "report/statistics.h"

namespace lockstep {

namespace {

constexpr double kLoop_s = 4e-3;
constexpr int kMostLoops = 10000;

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
      size_(static_cast<Index>(bytes / sizeof(float))),
      step_(make_step_averaging(communicator, plugins, size_)),
      mpi_(make_mpi_averaging(communicator, size_)),
      source_(bytes_to_copy(bytes, communicator.size()), 1),
      target_(source_.size()) {}

void AllreduceTrial::verify() {
  verify(*step_, "lockstep");
  verify(*mpi_, "MPI_Allreduce");
}

void AllreduceTrial::verify(Averaging& averaging, const std::string& name) const {
  float* const input = averaging.input();
  for (Index i = 0; i < size_; ++i) input[i] = element(communicator_.rank(), i);
  averaging.run();
  std::string trouble;
  for (Index i = 0; i < size_ && trouble.empty(); ++i) {
    float sum = 0;
    for (int rank = 0; rank < communicator_.size(); ++rank) sum += element(rank, i);
    const float expected = sum * averaging.scale();
    if (averaging.output()[i] != expected)
      trouble = fmt::format("{} over {} floats gives {} at {}, expected {}; nothing was timed", name, size_,
                            averaging.output()[i], i, expected);
  }
  for (const std::string& text : all_gather(communicator_, trouble))
    if (!text.empty()) throw AgreedError(ExitCode::kDisagree, text);
}

AllreduceTimes AllreduceTrial::measure(int rounds) {
  const int step_loops = loops_for(seconds_of(*step_, 3)), mpi_loops = loops_for(seconds_of(*mpi_, 3)),
            copy_loops = loops_for(copy_seconds(3));
  std::vector<double> step, mpi, copy, ratio;
  for (int round = 0; round < rounds; ++round) {
    step.push_back(slowest(seconds_of(*step_, step_loops)));
    mpi.push_back(slowest(seconds_of(*mpi_, mpi_loops)));
    copy.push_back(slowest(copy_seconds(copy_loops)));
    ratio.push_back(mpi.back() / step.back());
  }
  return {static_cast<std::size_t>(size_) * sizeof(float),
          step_->transport(),
          median(step),
          median(mpi),
          median(copy),
          median(ratio)};
}

// Zeros, so that sums of sums stay finite; what a value is does not matter to time.
void AllreduceTrial::fill(Averaging& averaging) const {
  float* const input = averaging.input();
  for (Index i = 0; i < size_; ++i) input[i] = 0;
  __asm__ volatile("" : : "r"(input) : "memory");  // a loop that only writes must not become one write
}

double AllreduceTrial::seconds_of(Averaging& averaging, int loops) const {
  fill(averaging);
  barrier(communicator_);
  double start = now_seconds();
  for (int i = 0; i < loops; ++i) fill(averaging);
  const double filling = now_seconds() - start;
  barrier(communicator_);
  averaging.run();
  start = now_seconds();
  for (int i = 0; i < loops; ++i) {
    fill(averaging);
    averaging.run();
  }
  return std::max(now_seconds() - start - filling, 1e-9) / loops;
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
  double least = kLoop_s / std::max(slowest(seconds), 1e-9);
  return static_cast<int>(std::clamp(least, 3.0, static_cast<double>(kMostLoops)));
}

double AllreduceTrial::slowest(double seconds) const {
  std::vector<double> all(static_cast<std::size_t>(communicator_.size()));
  all_gather(communicator_, &seconds, sizeof seconds, all.data());
  return *std::max_element(all.begin(), all.end());
}

}  // namespace lockstep
