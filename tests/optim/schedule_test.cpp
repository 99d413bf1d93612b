// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "lockstep/core/error.h"
#include "optim/rate.h"
#include "optim/registry.h"
#include "support/optim_options.h"

namespace lockstep::testing {
namespace {

constexpr RunLength kRun = {60, 12};

class ScheduleLaws : public ::testing::TestWithParam<std::string> {};

TEST_P(ScheduleLaws, IsFiniteNotNegativeAndAtMostOne) {
  for (const RunLength run : {kRun, RunLength{1, 1}, RunLength{0, 1}, RunLength{1'000'000, 3}}) {
    const auto schedule = make_schedule(GetParam(), {}, run);
    for (Index step : {0, 1, 2, 11, 12, 17, 18, 59, 60, 61, 999'999, 1'000'000, 2'000'000'000}) {
      EXPECT_TRUE(std::isfinite(schedule->factor(step))) << step;
      EXPECT_GE(schedule->factor(step), 0) << step;
      EXPECT_LE(schedule->factor(step), 1) << step;
    }
  }
}

TEST_P(ScheduleLaws, IsAFunctionOfTheStepAndOfTheState) {
  const auto forward = make_schedule(GetParam(), {}, kRun), backward = make_schedule(GetParam(), {}, kRun);
  for (int i = 0; i < 30; ++i) forward->observe(1);
  std::vector<double> factors;
  for (Index step = 0; step < 80; ++step) factors.push_back(forward->factor(step));
  backward->restore(forward->state());
  for (Index step = 79; step >= 0; --step)
    EXPECT_EQ(backward->factor(step), factors[static_cast<std::size_t>(step)]) << step;
}

TEST_P(ScheduleLaws, BearsMetricsThatAreNoNumbers) {
  const auto schedule = make_schedule(GetParam(), {}, kRun);
  for (int i = 0; i < 100; ++i) {
    schedule->observe(std::numeric_limits<double>::quiet_NaN());
    schedule->observe(std::numeric_limits<double>::infinity());
    EXPECT_GE(schedule->factor(i), 0);
    EXPECT_LE(schedule->factor(i), 1);
  }
}

INSTANTIATE_TEST_SUITE_P(AllRows, ScheduleLaws, ::testing::ValuesIn(schedule_registry().names()),
                         [](const auto& name) { return name.param; });

struct Trace {
  std::string schedule;
  OptionTexts options;
  std::vector<double> factors;
};

std::vector<Trace> read_traces() {
  std::ifstream file(std::string(LOCKSTEP_SOURCE_DIR) + "/tests/optim/torch_schedules.txt");
  std::vector<Trace> traces;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word, key;
    words >> word;
    if (word == "schedule") words >> traces.emplace_back().schedule;
    if (word == "option") {
      words >> key;
      std::getline(words >> std::ws, traces.back().options[key]);
    }
    if (word == "factors")
      for (double factor; words >> factor;) traces.back().factors.push_back(factor);
  }
  return traces;
}

/// The metric of make_traces.py.
double plateau_metric(int step) {
  return std::max(1.0 / (1 + step), 0.2) - 0.0001 * step + (step % 11 == 10 ? 0.5 : 0);
}

TEST(ScheduleTraces, AgreeWithPyTorch) {
  const std::vector<Trace> traces = read_traces();
  ASSERT_EQ(traces.size(), 13u);
  for (const Trace& trace : traces) {
    OptionTexts texts = trace.options;
    texts["optim.schedule"] = trace.schedule;
    texts["optim.learning_rate"] = "1";
    Rate rate(optim_options(texts), schedule_registry(), kRun, 100);
    ASSERT_EQ(trace.factors.size(), 60u);
    for (int step = 0; step < 60; ++step) {
      // Both are in double, but PyTorch multiplies from step to step where this is a closed form; 12 digits
      // are written.
      EXPECT_NEAR(rate.at(step), trace.factors[static_cast<std::size_t>(step)], 1e-11)
          << trace.schedule << ", step " << step;
      rate.observe(plateau_metric(step));
    }
  }
}

TEST(Schedules, FollowTheirFormulasWherePyTorchHasNone) {
  const auto inverse_time = make_schedule("inverse_time", {{"optim.decay_rate", "0.5"}}, kRun);
  EXPECT_DOUBLE_EQ(inverse_time->factor(0), 1);
  EXPECT_DOUBLE_EQ(inverse_time->factor(24), 1 / (1 + 0.5 * 2));
  const auto inverse_sqrt = make_schedule("inverse_sqrt", {{"optim.decay_after", "10 steps"}}, kRun);
  EXPECT_DOUBLE_EQ(inverse_sqrt->factor(10), 1);
  EXPECT_DOUBLE_EQ(inverse_sqrt->factor(40), 0.5);
  const auto polynomial = make_schedule("polynomial", {{"optim.end_factor", "0.2"}}, kRun);
  EXPECT_DOUBLE_EQ(polynomial->factor(30), 0.6);
  EXPECT_DOUBLE_EQ(polynomial->factor(1000), 0.2);
  EXPECT_DOUBLE_EQ(make_schedule("cosine", {{"optim.end_factor", "0.2"}}, kRun)->factor(1000), 0.2);
}

TEST(Schedules, PlateauHearsMetricsThatShouldGrowWithTheirSignChanged) {
  const OptionTexts texts = {{"optim.plateau_patience", "1"}, {"optim.plateau_threshold", "0.1"}};
  const auto growing = make_schedule("plateau", texts, kRun);
  for (double accuracy : {0.5, 0.6, 0.7, 0.8}) growing->observe(-accuracy);
  EXPECT_DOUBLE_EQ(growing->factor(0), 1);
  for (double accuracy : {0.85, 0.87}) growing->observe(-accuracy);  // less than a tenth above 0.8
  EXPECT_DOUBLE_EQ(growing->factor(0), 0.1);
}

TEST(Rate, ScalesWithTheBatch) {
  const auto rate = [](const char* rule) {
    return Rate(
        optim_options(
            {{"optim.learning_rate", "0.1"}, {"optim.scaling", rule}, {"optim.reference_batch", "256"}}),
        schedule_registry(), kRun, 1024);
  };
  EXPECT_DOUBLE_EQ(rate("none").at(0), 0.1);
  EXPECT_DOUBLE_EQ(rate("sqrt").at(0), 0.2);
  EXPECT_DOUBLE_EQ(rate("linear").at(0), 0.4);
  EXPECT_EQ(rate("linear").description(),
            "0.4 = 0.1 × 4 (linear, batch 1024 against 256), schedule constant");
}

TEST(Rate, WarmsUpOnTopOfTheSchedule) {
  const Rate rate(optim_options({{"optim.learning_rate", "2"},
                                 {"optim.warmup", "1 epochs"},
                                 {"optim.warmup_start", "0"},
                                 {"optim.schedule", "cosine"}}),
                  schedule_registry(), kRun, 1);
  const auto cosine = make_schedule("cosine", {}, kRun);
  EXPECT_EQ(rate.at(0), 0);
  EXPECT_DOUBLE_EQ(rate.at(6), 2 * 0.5 * cosine->factor(6));
  EXPECT_DOUBLE_EQ(rate.at(12), 2 * cosine->factor(12));
  EXPECT_NEAR(rate.at(60), 0, 1e-15);
}

TEST(Rate, RefusesWhatItCannotRead) {
  const auto build = [](const OptionTexts& texts) {
    Rate(optim_options(texts), schedule_registry(), kRun, 1);
  };
  EXPECT_THROW(build({{"optim.scaling", "linear"}}), Error);
  EXPECT_THROW(build({{"optim.warmup", "2"}}), Error);
  EXPECT_THROW(build({{"optim.schedule", "sinus"}}), Error);
  EXPECT_THROW(build({{"optim.schedule", "step"}, {"optim.drop_every", "0 steps"}}), Error);
  EXPECT_THROW(build({{"optim.schedule", "cosine"}, {"optim.decay_over", "forever"}}), Error);
}

}  // namespace
}  // namespace lockstep::testing
