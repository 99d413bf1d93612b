// SPDX-License-Identifier: Apache-2.0
// What is made up for at once is what single steps without gradient come to.
#include "optim/lazy_penalty.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "lockstep/core/error.h"
#include "lockstep/run.h"
#include "support/experiment.h"

namespace lockstep::testing {
namespace {

constexpr Index kRows = 40;
constexpr Index kWidth = 2;
constexpr Index kFloats = kRows * kWidth;

struct Case {
  std::string optimizer;
  std::vector<std::string> penalties;
};

class Idle {
 public:
  explicit Idle(const Case& asked) : options_(options_of(settings(asked))) {
    optimizer_ = builtin_plugins().optimizers.find(asked.optimizer).create(options_);
    std::mt19937 random(4);
    std::uniform_real_distribution<float> number(-2, 2);
    weights_.resize(kFloats);
    state_.resize(kFloats);
    gradient_.resize(kFloats);
    for (float& weight : weights_) weight = number(random);
    for (float& square : state_) square = std::abs(number(random)) + 0.01F;
  }
  const Options& options() const { return options_; }
  const Optimizer& optimizer() const { return *optimizer_; }
  static StepSettings step(Index number, double rate, const Options& options) {
    StepSettings settings;
    settings.step = number;
    settings.rate = rate;
    settings.l1 = options.real("optim.l1");
    settings.l2 = options.real("optim.l2");
    settings.weight_decay = std::max(0.0, options.real("optim.weight_decay"));
    return settings;
  }
  void make(const StepSettings& settings) {
    std::fill(gradient_.begin(), gradient_.end(), 0.0F);
    float* const state[] = {state_.data()};
    optimizer_->update(settings, {kFloats, weights_.data(), gradient_.data(), state});
  }
  AlignedVector<float> weights_, state_, gradient_;

 private:
  static std::vector<std::string> settings(const Case& asked) {
    std::vector<std::string> all = {"data.train=demo:logistic", "model.name=logistic",
                                    "optim.name=" + asked.optimizer};
    all.insert(all.end(), asked.penalties.begin(), asked.penalties.end());
    return all;
  }

  Options options_;
  std::unique_ptr<Optimizer> optimizer_;
};

const std::vector<Case> kCases = {
    {"sgd", {"optim.l1=0.001"}},
    {"sgd", {"optim.l2=0.01"}},
    {"sgd", {"optim.weight_decay=0.02"}},
    {"sgd", {"optim.l1=0.0005", "optim.l2=0.01", "optim.weight_decay=0.005"}},
    {"adagrad", {"optim.l1=0.001", "optim.lr_decay=0.01"}},
    {"adagrad", {"optim.l1=0.0005", "optim.weight_decay=0.01"}},
    {"adagrad", {"optim.l2=0.01", "optim.l1=0.0005"}},
};

// A weight that was made up for after step a has the age a: rows of all ages must end alike.
TEST(LazyPenalty, ComesToWhatSingleStepsComeTo) {
  for (const Case& asked : kCases) {
    Idle single(asked);
    LazyPenalty lazy(single.options(), single.optimizer(), true);
    EXPECT_TRUE(lazy.is_needed());
    AlignedVector<float> weights = single.weights_, state = single.state_;
    std::vector<std::uint16_t> ages(kRows);
    for (Index number = 1; number <= 200; ++number) {
      const double rate = 0.3 / std::sqrt(static_cast<double>(number));
      const StepSettings settings = Idle::step(number, rate, single.options());
      EXPECT_FALSE(lazy.must_close(settings));
      single.make(settings);
      lazy.add(settings);
      const Index row = number % kRows;  // of this row all is known now
      if (number > 150) continue;
      ages[static_cast<std::size_t>(row)] = static_cast<std::uint16_t>(number);
      std::copy_n(single.weights_.data() + row * kWidth, kWidth, weights.data() + row * kWidth);
      std::copy_n(single.state_.data() + row * kWidth, kWidth, state.data() + row * kWidth);
    }
    LazyPenalty restored(single.options(), single.optimizer(), true);
    restored.restore(lazy.window());
    EXPECT_EQ(restored.age(), 200);
    AlignedVector<float> again = weights, state_again = state;
    lazy.catch_up(kRows, kWidth, ages.data(), weights.data(), state.data());
    restored.catch_up(kRows, kWidth, ages.data(), again.data(), state_again.data());
    EXPECT_EQ(weights, again);
    for (std::size_t i = 0; i < weights.size(); ++i)
      EXPECT_NEAR(weights[i], single.weights_[i], 1e-6 * 2) << asked.optimizer << asked.penalties[0];
  }
}

TEST(LazyPenalty, RefusesAWindowThatCannotBe) {
  const Idle idle(kCases[0]);
  LazyPenalty lazy(idle.options(), idle.optimizer(), true);
  EXPECT_NO_THROW(lazy.restore({0.5, 1, 0.1, 1}));
  EXPECT_EQ(lazy.age(), 1);
  for (const std::vector<double>& window : {std::vector<double>{0.5, 1, 0.1},
                                            {0.5, 1, 0.1, -1},
                                            {0.5, 1, 0.1, std::nan("")},
                                            {0.5, 1, 0.1, 1e300},
                                            std::vector<double>(4'000'000)})
    EXPECT_THROW(lazy.restore(window), Error) << window.size();
}

TEST(LazyPenalty, LeavesWhatIsUpToDate) {
  Idle idle({"sgd", {"optim.l2=0.3"}});
  LazyPenalty lazy(idle.options(), idle.optimizer(), true);
  for (Index number = 1; number <= 9; ++number) lazy.add(Idle::step(number, 0.1, idle.options()));
  AlignedVector<float> weights = idle.weights_;
  lazy.catch_up(kRows, kWidth, std::vector<std::uint16_t>(kRows, 9).data(), weights.data(), nullptr);
  EXPECT_EQ(weights, idle.weights_);
}

TEST(LazyPenalty, ClosesItsWindowWhereItsNumbersEnd) {
  const Idle idle({"sgd", {"optim.l2=1"}});
  const auto steps_until_closed = [&](double rate) {
    LazyPenalty lazy(idle.options(), idle.optimizer(), true);
    Index number = 1;
    for (; number < 100000 && !lazy.must_close(Idle::step(number, rate, idle.options())); ++number)
      lazy.add(Idle::step(number, rate, idle.options()));
    return number - 1;
  };
  EXPECT_EQ(steps_until_closed(1e-3), 8192);
  EXPECT_NEAR(static_cast<double>(steps_until_closed(0.9)), 100, 1);
  EXPECT_EQ(steps_until_closed(1.5), 0);  // a weight would change its sign
}

TEST(LazyPenalty, IsNotNeededWithoutPenalties) {
  for (const Case& asked :
       {Case{"sgd", {}}, Case{"adagrad", {}}, Case{"ftrl", {"optim.l1=1", "optim.l2=1"}}}) {
    const Idle idle(asked);
    EXPECT_FALSE(LazyPenalty(idle.options(), idle.optimizer(), true).is_needed());
    EXPECT_EQ(LazyPenalty::why_not(idle.options()), "");
  }
  const Idle unpenalized({"sgd", {"optim.l1=1"}});
  EXPECT_FALSE(LazyPenalty(unpenalized.options(), unpenalized.optimizer(), false).is_needed());
  EXPECT_NE(LazyPenalty::why_not(Idle({"adam", {}}).options()), "");
}

}  // namespace
}  // namespace lockstep::testing
