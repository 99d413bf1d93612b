// SPDX-License-Identifier: Apache-2.0
// Who is late is found from what ranks waited, and said while the run goes on; traces are on one clock.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/atomic_file.h"
#include "core/clock.h"
#include "lockstep/core/error.h"
#include "lockstep/run.h"
#include "support/experiment.h"
#include "support/temporary_folder.h"
#include "support/thread_communicator.h"
#include "train/clock_offsets.h"
#include "train/event_file.h"
#include "train/options.h"
#include "train/slow_rank.h"
#include "train/step_trace.h"
#include "train/trainer.h"

namespace lockstep::testing {
namespace {

using Json = nlohmann::json;

TEST(RankTimes, ThoseWhoWaitLeastAreLatest) {
  run_ranks(3, [](Communicator& communicator) {
    RankTimes times(communicator);
    const double waits[] = {0.010, 0.002, 0.008};
    for (int step = 0; step < 4; ++step) {
      times.add({0.001, 0.005, waits[communicator.rank()] + 0.001, 0.002, 0, 0.020});
    }
    for (const RankTimesReport& report : {times.gather(), times.total()}) {
      EXPECT_EQ(report.steps, 4);
      EXPECT_EQ(report.slowest, 1);
      EXPECT_NEAR(report.late_share, (0.010 - 0.002) / 0.020, 1e-9);  // the median of two is the greater
      EXPECT_NEAR(report.ranks[1].late_ms, 8, 1e-9);
      EXPECT_NEAR(report.ranks[0].late_ms, 0, 1e-9);
      EXPECT_NEAR(report.ranks[0].exchange, 4 * 0.003, 1e-9);
      EXPECT_NEAR(report.ranks[0].wait, 4 * 0.008, 1e-9);
      EXPECT_NEAR(report.ranks[1].wait, 0, 1e-9);
    }
    EXPECT_EQ(times.gather().steps, 0);
  });
}

RankTimesReport report_of(int slowest, double late_share) {
  RankTimesReport report;
  report.steps = 100;
  report.seconds = 1;
  report.ranks.resize(4);
  report.slowest = slowest;
  report.host_of_slowest = "here";
  report.late_share = late_share;
  return report;
}

TEST(SlowRankWatch, NamesARankOnceAndOnlyPastItsShare) {
  SlowRankWatch watch;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(watch.observe(report_of(2, 0.19)), "");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(watch.observe(report_of(i, 0.31)), "");  // by turns
  const std::string line = watch.observe(report_of(2, 0.31));
  EXPECT_NE(line.find("rank 2 on here is slow: it comes 3.1 ms later"), std::string::npos) << line;
  EXPECT_EQ(watch.observe(report_of(2, 0.5)), "");
  EXPECT_EQ(watch.observe(report_of(2, 0.15)), "");
  EXPECT_EQ(watch.observe(report_of(1, 0.4)), "rank 2 keeps up again");
  EXPECT_NE(watch.observe(report_of(1, 0.4)).find("rank 1 on here is slow"), std::string::npos);
  EXPECT_EQ(watch.observe(report_of(1, 0.05)), "rank 1 keeps up again");
  EXPECT_EQ(watch.observe(report_of(1, 0.05)), "");
  RankTimesReport few = report_of(1, 0.9);
  few.steps = 9;
  EXPECT_EQ(watch.observe(few), "");
}

/// Sleeps after every step.
class Sleeper final : public StepObserver {
 public:
  explicit Sleeper(int milliseconds) : pause_(milliseconds) {}
  void on_step(const StepReport&) override { std::this_thread::sleep_for(pause_); }

 private:
  std::chrono::milliseconds pause_;
};

class TimesRecorder final : public StepObserver {
 public:
  void on_times(const StepReport& report, const RankTimesReport& times) override {
    if (report.step == report.total_steps) return;
    const bool is_new = line.empty();
    line += watch.observe(times);
    if (is_new && !line.empty()) step = report.step;
  }
  SlowRankWatch watch;
  std::string line;
  Index step = 0;  ///< of the first line
};

// Rank 1 of two loses so much time a step in its own observer: it comes late to every reduction.
template <class Check>
void train_with_sleeper(const std::string& steps, int milliseconds, const Check& check) {
  const Options options = options_of({"data.train=demo:logistic?rows=2000", "model.name=logistic",
                                      "train.steps=" + steps, "eval.train=never"});
  const Plugins plugins = builtin_plugins();
  run_ranks(2, [&](Communicator& communicator) {
    LoadPlan plan;
    plan.shards = shard_count(options);
    plan.hosted = hosted_shards(communicator.rank(), 2, plan.shards);
    const DataSets data = load_datasets(options, plugins.formats, plan);
    TrainedModel model = make_model(options, plugins, schema_of(data.train));
    Trainer trainer(options, plugins, communicator, data, model);
    Sleeper sleeper(milliseconds);
    TimesRecorder recorder;
    if (communicator.rank() == 1) trainer.add_observer(sleeper);
    if (communicator.rank() == 0) trainer.add_observer(recorder);
    const RankTimesReport times = trainer.run().times;
    if (communicator.rank() == 0) check(times, recorder);
  });
}

TEST(RankTimes, ASleepingRankIsNamedWhileTheRunGoesOn) {
  train_with_sleeper("400", 3, [](const RankTimesReport& times, const TimesRecorder& recorder) {
    EXPECT_EQ(times.slowest, 1);
    EXPECT_GT(times.ranks[1].late_ms, 2);
    EXPECT_GT(times.ranks[0].wait, 0.4);
    EXPECT_GT(times.late_share, 0.4);
    EXPECT_TRUE(recorder.line.starts_with("rank 1 on ")) << recorder.line;
  });
}

// Time alone would gather after four of these steps, of which nothing is said.
TEST(RankTimes, ASlowRankIsNamedWithinTwentySteps) {
  train_with_sleeper("25", 70, [](const RankTimesReport&, const TimesRecorder& recorder) {
    EXPECT_TRUE(recorder.line.starts_with("rank 1 on ")) << recorder.line;
    EXPECT_GT(recorder.step, 0);
    EXPECT_LE(recorder.step, 20);
  });
}

TEST(ClockOffsets, FindShiftedClocksWithinTheirError) {
  run_ranks(3, [](Communicator& communicator) {
    const double shift = 1000.0 * communicator.rank();
    const auto offsets = measure_clock_offsets(communicator, [&] { return now_seconds() + shift; });
    if (communicator.rank() != 0) return;
    for (std::size_t rank = 0; rank < 3; ++rank) {
      EXPECT_NEAR(offsets[rank].offset_s, 1000.0 * static_cast<double>(rank), offsets[rank].error_s + 1e-9);
      EXPECT_LT(offsets[rank].error_s, 0.1);
    }
  });
}

struct Span {
  double start = 0, end = 0;
};

TEST(StepTrace, SpansAreNestedAndOfAllRanks) {
  const TemporaryFolder folder;
  TrainingRequest request;
  request.directory = folder.path() / "run";
  train_on(3,
           {"data.train=demo:blobs?rows=9000&features=5", "model.name=softmax", "train.batch=full",
            "train.steps=8", "log.trace=3-5"},
           request);
  const Json trace = Json::parse(read_file(request.directory / "trace.json"));
  std::map<int, std::map<std::string, std::vector<Span>>> spans;
  for (const Json& event : trace.at("traceEvents")) {
    if (event.at("ph") == "M") continue;
    EXPECT_EQ(event.at("ph"), "X");
    const double start = event.at("ts"), length = event.at("dur");
    EXPECT_GE(length, 0);
    const int step = event.at("args").at("step");
    EXPECT_TRUE(step >= 3 && step <= 5);
    spans[event.at("pid")][event.at("name")].push_back({start, start + length});
  }
  ASSERT_EQ(spans.size(), 3U);
  constexpr double kRounding_us = 1e-3;
  std::vector<double> first_step_ends, first_exchange_starts;
  for (auto& [rank, of] : spans) {
    ASSERT_EQ(of["step"].size(), 3U);
    std::vector<Span> parts;
    for (const char* name : {"data", "compute", "exchange", "update"})
      parts.insert(parts.end(), of[name].begin(), of[name].end());
    std::sort(parts.begin(), parts.end(), [](const Span& a, const Span& b) { return a.start < b.start; });
    for (std::size_t i = 1; i < parts.size(); ++i) EXPECT_LE(parts[i - 1].end, parts[i].start + kRounding_us);
    const auto is_inside = [&](const Span& span, const std::vector<Span>& outer) {
      return std::any_of(outer.begin(), outer.end(), [&](const Span& whole) {
        return whole.start <= span.start + kRounding_us && span.end <= whole.end + kRounding_us;
      });
    };
    for (const Span& part : parts) EXPECT_TRUE(is_inside(part, of["step"]));
    for (const Span& wait : of["wait"]) EXPECT_TRUE(is_inside(wait, of["exchange"]));
    EXPECT_GE(of["compute"].size(), 6U);  // 3,000 rows are several batches of 1,024
    first_step_ends.push_back(of["step"][0].end);
    first_exchange_starts.push_back(of["exchange"][0].start);
  }
  // A step cannot end before the last rank has come to its reduction.
  double error_us = 0;
  for (const double error : trace.at("otherData").at("clock_error_us")) error_us = std::max(error_us, error);
  EXPECT_GE(*std::min_element(first_step_ends.begin(), first_step_ends.end()) + 2 * error_us,
            *std::max_element(first_exchange_starts.begin(), first_exchange_starts.end()));
}

TEST(StepTrace, TakesStepsOnly) {
  EXPECT_TRUE(StepTrace("7", "").is_traced(7));
  EXPECT_FALSE(StepTrace("7", "").is_traced(8));
  EXPECT_FALSE(StepTrace("", "").is_traced(1));
  for (const char* wrong : {"x", "3-", "5-3", "0-2", "1-2x", "-2"})
    EXPECT_THROW(StepTrace(wrong, "here"), Error) << wrong;
}

TEST(EventFile, HasTheCheckSumOfTheStandard) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);  // RFC 3720, B.4
}

}  // namespace
}  // namespace lockstep::testing
