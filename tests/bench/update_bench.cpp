// SPDX-License-Identifier: Apache-2.0
// What the update of a slice costs against the memory it moves: for every optimizer and slices of 4 K to 16 M
// floats, bytes a second of UpdateStep's pass over the slice as a share of what a STREAM triad over arrays of
// the same total size reaches in the same run, interleaved, medians. Counted is what the algorithm must
// move: gradient, weights and state read, weights and state written, 4 bytes each (adam: 28 bytes an
// element); of the triad 12 bytes an element, without what the processor reads before it writes. Verified
// before timed: updates of random slices give the bits of one update.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/clock.h"
#include "core/sums.h"
#include "optim/registry.h"
#include "support/optim_options.h"

namespace lockstep {
namespace {

constexpr int kRounds = 9;
constexpr double kSecondsARound = 2e-3;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

float noise(std::size_t i, unsigned salt) {
  const auto bits = (static_cast<std::uint32_t>(i) * 2654435761U + salt * 40503U) ^ 0x9E3779B9U;
  return static_cast<float>(static_cast<std::int32_t>(bits * 2246822519U)) * 0x1p-31F;
}

/// Weights, gradient, state and average of a slice.
class Slice {
 public:
  Slice(const Optimizer& optimizer, Index size) : optimizer_(optimizer), size_(size) {
    arrays_.resize(3 + optimizer.state_names().size(), AlignedVector<float>(static_cast<std::size_t>(size)));
    for (std::size_t a = 0; a < 2; ++a)
      for (std::size_t i = 0; i < arrays_[a].size(); ++i)
        arrays_[a][i] = noise(i, static_cast<unsigned>(a)) * 0.1F;
    for (std::size_t s = 3; s < arrays_.size(); ++s)
      std::fill(arrays_[s].begin(), arrays_[s].end(), optimizer.initial_state(static_cast<int>(s) - 3));
  }

  void update(Index step, Index begin, Index end) {
    StepSettings settings;
    settings.step = step;
    settings.rate = 1e-3;
    settings.gradient_scale = 1e-2;
    settings.l2 = 1e-4;
    std::vector<float*>& state = pointers_;
    state.clear();
    for (std::size_t s = 3; s < arrays_.size(); ++s) state.push_back(arrays_[s].data() + begin);
    optimizer_.update(settings, {end - begin, arrays_[0].data() + begin, arrays_[1].data() + begin,
                                 state.data(), true, 0.5});
  }
  void update(Index step) { update(step, 0, size_); }

  double bytes() const { return 4.0 * static_cast<double>(size_) * bytes_per_element() / 4; }
  double bytes_per_element() const { return 4.0 * (3 + 2 * static_cast<double>(arrays_.size() - 3)); }
  double footprint() const { return 4.0 * static_cast<double>(size_) * (2 + double(arrays_.size() - 3)); }
  const AlignedVector<float>& gradient() const { return arrays_[1]; }
  bool operator==(const Slice& other) const {
    for (std::size_t a = 0; a < arrays_.size(); ++a)
      if (std::memcmp(arrays_[a].data(), other.arrays_[a].data(), arrays_[a].size() * sizeof(float)) != 0)
        return false;
    return true;
  }

 private:
  const Optimizer& optimizer_;
  Index size_;
  std::vector<AlignedVector<float>> arrays_;
  std::vector<float*> pointers_;
};

/// a = b + s·c over three arrays of a third of the footprint each.
class Triad {
 public:
  explicit Triad(double footprint)
      : a_(round_up_16(static_cast<std::size_t>(footprint / 12))), b_(a_), c_(a_) {
    for (std::size_t i = 0; i < a_.size(); ++i) b_[i] = noise(i, 5), c_[i] = noise(i, 6);
  }
  void run() {
    float* const a = a_.data();
    const float *const b = b_.data(), *const c = c_.data();
#pragma GCC ivdep
    for (std::size_t i = 0; i < a_.size(); ++i) a[i] = b[i] + 0.5F * c[i];
    asm volatile("" ::"r"(a) : "memory");
  }
  double bytes() const {
    return 12.0 * static_cast<double>(a_.size());
  }

 private:
  AlignedVector<float> a_, b_, c_;
};

/// Bytes a second of `work`, which moves `bytes`, repeated for kSecondsARound.
template <class Work>
double rate_of(double bytes, const Work& work) {
  const double start = now_seconds();
  double seconds = 0;
  Index times = 0;
  do {
    work();
    ++times;
    seconds = now_seconds() - start;
  } while (seconds < kSecondsARound);
  return bytes * static_cast<double>(times) / seconds;
}

struct Measured {
  double update = 0, triad = 0, norm = 0;  ///< GB/s
};

Measured measure(const Optimizer& optimizer, Index size) {
  Slice slice(optimizer, size);
  Triad triad(slice.footprint());
  std::vector<double> updates, triads, norms;
  Index step = 0;
  double sink = 0;
  for (int round = -1; round < kRounds; ++round) {
    const double update = rate_of(slice.bytes(), [&] { slice.update(++step); });
    const double copy = rate_of(triad.bytes(), [&] { triad.run(); });
    const double norm = rate_of(4.0 * static_cast<double>(size),
                                [&] { sink += sum_of_squares(slice.gradient().data(), size); });
    if (round < 0) continue;  // warms up
    updates.push_back(update / 1e9), triads.push_back(copy / 1e9), norms.push_back(norm / 1e9);
  }
  if (!std::isfinite(sink)) std::puts("the gradient is not finite");
  return {median(updates), median(triads), median(norms)};
}

bool slices_equal_the_whole(const Optimizer& optimizer) {
  constexpr Index kSize = 4096;
  Slice whole(optimizer, kSize), sliced(optimizer, kSize);
  for (Index step = 1; step <= 10; ++step) {
    whole.update(step);
    for (Index begin = 0, end = 0; begin < kSize; begin = end) {
      end = std::min(kSize, begin + 16 * (1 + (begin + step) % 7));
      sliced.update(step, begin, end);
    }
  }
  return whole == sliced;
}

int run(const std::string& only) {
  std::vector<std::string> names = optimizer_registry().names();
  if (!only.empty()) names = {only};
  for (const std::string& name : names)
    if (!slices_equal_the_whole(*testing::make_optimizer(name))) {
      std::fprintf(stderr, "%s: slices differ from the whole; nothing was timed\n", name.c_str());
      return 1;
    }
  std::printf("%-10s %10s %8s %12s %12s %12s %8s\n", "optimizer", "floats", "B/float", "update GB/s",
              "triad GB/s", "norm GB/s", "share");
  for (const std::string& name : names) {
    const auto optimizer = testing::make_optimizer(name);
    for (const Index size : {Index{1} << 12, Index{1} << 14, Index{1} << 16, Index{1} << 18, Index{1} << 20,
                             Index{1} << 22, Index{1} << 24}) {
      if (name != "adam" && size != Index{1} << 14 && size != Index{1} << 18 && size != Index{1} << 22 &&
          only.empty())
        continue;
      const Measured found = measure(*optimizer, size);
      std::printf("%-10s %10ld %8.0f %12.1f %12.1f %12.1f %8.2f\n", name.c_str(), static_cast<long>(size),
                  Slice(*optimizer, 16).bytes_per_element(), found.update, found.triad, found.norm,
                  found.update / found.triad);
    }
  }
  return 0;
}

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) {
  return lockstep::run(argc > 1 ? argv[1] : "");
}
