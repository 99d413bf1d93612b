// SPDX-License-Identifier: Apache-2.0
// What the update of a slice costs against the memory it moves: for every optimizer and slices of 4 K to 16 M
// floats, bytes a second of Optimizer::update(), and of UpdateStep::run() with and without an average, as a
// share of what a STREAM triad over arrays of the same total size reaches in the same run; interleaved,
// medians. Counted is what the algorithm must move once: gradient, weights and state read, weights and state
// written, 4 bytes each (adam: 28 bytes an element), and the average read and written; the second read of
// the gradient for its norm is not. Of the triad, 12 bytes an element, without what the processor reads
// before it writes. Verified before timed: updates of random slices give the bits of one update.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/clock.h"
#include "core/sums.h"
#include "optim/registry.h"
#include "reduce/registry.h"
#include "report/statistics.h"
#include "support/experiment.h"
#include "support/optim_options.h"
#include "train/update_step.h"

namespace lockstep {
namespace {

constexpr int kRounds = 9;
constexpr Index kFloatsARound = Index{1} << 21;

float noise(std::size_t i, unsigned salt) {
  auto bits = (static_cast<std::uint32_t>(i) + salt * 40503U) * 2654435761U;
  bits = (bits ^ (bits >> 15)) * 2246822519U;
  return static_cast<float>(static_cast<std::int32_t>(bits)) * 0x1p-31F;
}

void fill(float* values, Index size, unsigned salt) {
  for (Index i = 0; i < size; ++i) values[i] = noise(static_cast<std::size_t>(i), salt);
}

ParameterLayout layout_of(Index size) {
  ParameterLayout layout;
  layout.add("vector", {size}, true);
  return layout;
}

/// All there is to one rank's update of `size` floats.
class Update {
 public:
  Update(const std::string& name, Index size, bool has_average)
      : size_(size),
        layout_(layout_of(size)),
        options_(testing::options_of({"optim.name=" + name, "data.train=demo:blobs", "model.name=softmax",
                                      std::string("train.average=") + (has_average ? "ema" : "none")})),
        optimizer_(optimizer_registry().find(name).create(options_)),
        communicator_(make_single_communicator()),
        reducer_(reducer_registry().find("canonical").create({communicator_.get(), &layout_, 1})),
        average_(options_, 1, reducer_->slice()),
        step_(layout_, *optimizer_, read_regularization(options_, *optimizer_), *reducer_) {
    fill(reducer_->weights(), size, 1);
    fill(reducer_->buffers()[0], size, 2);
    for (auto& state : step_.state()) state_.push_back(state.data());
  }

  void run() { step_.run({reducer_->buffers()[0], 100, 1e-3, ++steps_, false}, average_); }

  void update(Index step, Index begin, Index end) {
    StepSettings settings;
    settings.step = step;
    settings.rate = 1e-3;
    settings.gradient_scale = 1e-2;
    std::vector<float*> state = state_;
    for (float*& each : state) each += begin;
    optimizer_->update(settings, {end - begin, reducer_->weights() + begin, reducer_->buffers()[0] + begin,
                                  state.data(), true, 0.5});
  }
  void update() { update(++steps_, 0, size_); }
  double find_norm() const { return sum_of_squares(reducer_->buffers()[0], size_); }

  double bytes_per_float() const {
    return 4.0 * (3 + 2 * static_cast<double>(state_.size()) + (average_.exists() ? 2 : 0));
  }
  double footprint() const {
    return 4.0 * static_cast<double>(size_) * (2 + static_cast<double>(state_.size()));
  }
  bool equals(const Update& other) const {
    const auto bytes = static_cast<std::size_t>(size_) * sizeof(float);
    bool is_equal = std::memcmp(reducer_->weights(), other.reducer_->weights(), bytes) == 0;
    for (std::size_t i = 0; i < state_.size(); ++i)
      is_equal = is_equal && std::memcmp(state_[i], other.state_[i], bytes) == 0;
    return is_equal;
  }

 private:
  Index size_;
  ParameterLayout layout_;
  Options options_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Communicator> communicator_;
  std::unique_ptr<GradientReducer> reducer_;
  WeightAverage average_;
  UpdateStep step_;
  std::vector<float*> state_;
  Index steps_ = 0;
};

/// a = b + s·c over three arrays of a third of the footprint each.
class Triad {
 public:
  explicit Triad(double footprint)
      : size_(round_up_16(static_cast<Index>(footprint / 12))),
        memory_(static_cast<std::size_t>(3 * size_ + 128)) {
    fill(memory_.data(), 3 * size_ + 128, 3);
  }
  Index size() const { return size_; }
  // The arrays lie so that no load seems to wait for a store 4 KB away.
  void run() {
    float* const a = memory_.data();
    const float *const b = a + size_ + 32, *const c = b + size_ + 32;
#pragma GCC ivdep
    for (Index i = 0; i < size_; ++i) a[i] = b[i] + 0.5F * c[i];
    asm volatile("" ::"r"(a) : "memory");
  }

 private:
  Index size_;
  AlignedVector<float> memory_;
};

/// GB a second of `work`, which moves `bytes` for each of `size` floats.
template <class Work>
double rate_of(double bytes, Index size, const Work& work) {
  const Index times = std::max(Index{1}, kFloatsARound / size);
  const double start = now_seconds();
  for (Index i = 0; i < times; ++i) work();
  return bytes * static_cast<double>(size * times) / (now_seconds() - start) / 1e9;
}

void measure(const std::string& name, Index size) {
  Update plain(name, size, false), averaged(name, size, true);
  Triad triad(plain.footprint());
  std::vector<double> update, step, with_average, copy, norm;
  double sink = 0;
  for (int round = 0; round <= kRounds; ++round) {
    update.push_back(rate_of(plain.bytes_per_float(), size, [&] { plain.update(); }));
    copy.push_back(rate_of(12, triad.size(), [&] { triad.run(); }));
    step.push_back(rate_of(plain.bytes_per_float(), size, [&] { plain.run(); }));
    with_average.push_back(rate_of(averaged.bytes_per_float(), size, [&] { averaged.run(); }));
    norm.push_back(rate_of(4, size, [&] { sink += plain.find_norm(); }));
    if (round > 0) continue;
    for (auto* rates : {&update, &step, &with_average, &copy, &norm}) rates->clear();  // warmed up
  }
  if (!std::isfinite(sink)) std::puts("the gradient is not finite");
  std::printf("%-10s %9ld %8.0f %8.1f %8.1f %8.1f %8.1f %8.1f %9.2f\n", name.c_str(), static_cast<long>(size),
              plain.bytes_per_float(), median(update), median(step), median(with_average), median(norm),
              median(copy), median(update) / median(copy));
}

bool slices_equal_the_whole(const std::string& name) {
  constexpr Index kSize = 4096;
  Update whole(name, kSize, false), sliced(name, kSize, false);
  for (Index step = 1; step <= 10; ++step) {
    whole.update(step, 0, kSize);
    for (Index begin = 0, end = 0; begin < kSize; begin = end) {
      end = std::min(kSize, begin + 16 * (1 + (begin + step) % 7));
      sliced.update(step, begin, end);
    }
  }
  return whole.equals(sliced);
}

int run(const std::string& only) {
  std::vector<std::string> names = optimizer_registry().names();
  if (!only.empty()) names = {only};
  for (const std::string& name : names)
    if (!slices_equal_the_whole(name)) {
      std::fprintf(stderr, "%s: slices differ from the whole; nothing was timed\n", name.c_str());
      return 1;
    }
  std::printf("GB/s of              B/float   update     step step+ema     norm    triad update/triad\n");
  for (const std::string& name : names)
    for (int log2 = 12; log2 <= 24; log2 += 2)
      if (name == "adam" || !only.empty() || log2 == 14 || log2 == 18 || log2 == 22)
        measure(name, Index{1} << log2);
  return 0;
}

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) {
  return lockstep::run(argc > 1 ? argv[1] : "");
}
