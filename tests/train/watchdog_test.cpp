// SPDX-License-Identifier: Apache-2.0
// A node that stands still is seen, the late rank named, and the end comes; ranks that work are left alone.
#include "train/watchdog.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "core/atomic_file.h"
#include "core/clock.h"
#include "lockstep/run.h"
#include "support/experiment.h"
#include "support/temporary_folder.h"
#include "support/thread_communicator.h"
#include "train/launcher_watch.h"
#include "train/stall_watch.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;
using Verdict = StallWatch::Verdict;

constexpr double kTick_s = 0.25;

/// A node of ranks on a clock of its own, seen by the watchdog of one of them.
class Node {
 public:
  explicit Node(int ranks, StallRules rules = {}, int own = 0)
      : records_(static_cast<std::size_t>(ranks)), hosts_(static_cast<std::size_t>(ranks) + 1, "here") {
    hosts_.back() = "elsewhere";
    std::vector<WatchedRank> node;
    for (int i = 0; i < ranks; ++i) node.push_back({i, "here", 4000 + i, &record(i)});
    watch_.emplace(rules, node, own);
  }

  RankRecord& record(int rank) { return records_[static_cast<std::size_t>(rank)]; }
  StallWatch& watch() { return *watch_; }
  std::string blame() const { return watch_->blame(hosts_); }
  /// Ticks for so long, and returns the first verdict that says something. All processes run but `stopped`.
  Verdict run(
      double seconds, const std::function<void()>& work = [] {}, int stopped = -1) {
    for (const double end_s = now_s_ + seconds; now_s_ < end_s;) {
      now_s_ += kTick_s;
      work();
      for (int i = 0; i < static_cast<int>(records_.size()); ++i)
        if (i != stopped) record(i).beat();
      if (const Verdict verdict = watch_->observe(now_s_); verdict != Verdict::kFine) return verdict;
    }
    return Verdict::kFine;
  }
  void pass(double seconds) { now_s_ += seconds; }
  double now_s() const { return now_s_; }

 private:
  std::vector<RankRecord> records_;
  std::vector<std::string> hosts_;
  std::optional<StallWatch> watch_;
  double now_s_ = 1000;
};

// All at step 7, rank `late` in compute, the others waiting for it in exchange.
void wait_for(Node& node, int ranks, int late) {
  for (int i = 0; i < ranks; ++i) {
    node.record(i).begin_step(7);
    if (i == late) continue;
    node.record(i).begin(RankPhase::kExchange);
    node.record(i).wait_for(late);
  }
}

TEST(StallWatch, WarnsAtAThirdAndEndsAtTheLimit) {
  Node node(3);
  wait_for(node, 3, 1);
  EXPECT_EQ(node.run(9.5), Verdict::kFine);
  EXPECT_EQ(node.run(2), Verdict::kWarn);
  EXPECT_NEAR(node.watch().still_s(), 10, 0.5);
  EXPECT_EQ(node.blame(), "late: rank 1 on here, process 4001: is in compute, others are ahead");
  EXPECT_EQ(node.run(19), Verdict::kFine);
  EXPECT_EQ(node.run(2), Verdict::kStalled);
  EXPECT_NEAR(node.watch().still_s(), 30, 0.5);
  EXPECT_EQ(node.run(100), Verdict::kFine);  // once
}

TEST(StallWatch, GoesOnWhereSomebodyMovesInTime) {
  Node node(2);
  wait_for(node, 2, 1);
  EXPECT_EQ(node.run(20), Verdict::kWarn);
  node.run(8);
  node.record(1).begin(RankPhase::kExchange);
  EXPECT_EQ(node.run(1), Verdict::kGoesOn);
  EXPECT_NEAR(node.watch().still_s(), 18, 1);
  EXPECT_EQ(node.run(9), Verdict::kFine);
  EXPECT_EQ(node.run(2), Verdict::kWarn);  // again
}

// A rank that works holds up the others for as long as it likes: slow is not dead.
TEST(StallWatch, LeavesSlowRanksAlone) {
  Node node(2);
  wait_for(node, 2, 1);
  EXPECT_EQ(node.run(1000, [&] { node.record(1).move(); }), Verdict::kFine);
}

// In an endless loop nothing moves, though the first step may be long.
TEST(StallWatch, AnEndlessLoopIsAStall) {
  Node node(2);
  wait_for(node, 2, 1);
  node.run(5, [&] { node.record(1).move(); });
  EXPECT_EQ(node.run(90), Verdict::kWarn);
  EXPECT_EQ(node.run(90), Verdict::kStalled);
  EXPECT_NEAR(node.watch().still_s(), 20 * 5, 6);  // what computing had taken so far
}

TEST(StallWatch, ALongStepMayStandStillLonger) {
  Node node(1);
  for (int step = 1; step <= 5; ++step)
    for (const auto phase : {RankPhase::kCompute, RankPhase::kExchange}) {
      node.record(0).begin_step(step);
      node.record(0).begin(phase);
      EXPECT_EQ(node.run(3), Verdict::kFine);
    }
  EXPECT_NEAR(node.watch().median_step_s(), 6, 0.3);
  node.record(0).begin_step(6);
  EXPECT_EQ(node.run(38), Verdict::kFine);
  EXPECT_EQ(node.run(4), Verdict::kWarn);
  EXPECT_EQ(node.run(100), Verdict::kStalled);
  EXPECT_NEAR(node.watch().still_s(), 120, 6);
}

// Of many short steps a long one changes nothing.
TEST(StallWatch, TheMedianIsNotMovedByOneStep) {
  Node node(1);
  std::int64_t step = 1;
  node.run(10, [&] { node.record(0).begin_step(step += 10); });
  node.record(0).begin_step(++step);
  node.run(9);
  node.record(0).begin_step(++step);
  node.run(1);
  EXPECT_NEAR(node.watch().median_step_s(), 0.025, 1e-9);
}

// A process that was stopped for an hour, or did not get the processor, has not waited for an hour.
TEST(StallWatch, APauseOfItsOwnIsNoStall) {
  Node node(2);
  wait_for(node, 2, 0);
  EXPECT_EQ(node.run(5), Verdict::kFine);
  node.pass(3600);
  EXPECT_EQ(node.run(4), Verdict::kFine);
  EXPECT_LT(node.watch().still_s(), 10);
}

TEST(StallWatch, PhasesHaveTheirLimits) {
  const auto limit_in = [](RankPhase phase) {
    Node node(1, {30, 600});
    node.record(0).begin(phase);
    while (node.run(1000) != Verdict::kStalled) continue;
    return node.watch().still_s();
  };
  for (const auto phase :
       {RankPhase::kCompute, RankPhase::kExchange, RankPhase::kUpdate, RankPhase::kFinalize})
    EXPECT_NEAR(limit_in(phase), 30, 0.5) << name_of(phase);
  for (const auto phase : {RankPhase::kStart, RankPhase::kLoad, RankPhase::kSetUp, RankPhase::kEvaluate,
                           RankPhase::kCheckpoint, RankPhase::kFinish})
    EXPECT_NEAR(limit_in(phase), 605, 0.5) << name_of(phase);
}

// As long as one rank is in a phase that may take long, the others may wait for it.
TEST(StallWatch, TheMostPatientPhaseCounts) {
  Node node(2);
  node.record(0).begin(RankPhase::kCheckpoint);
  node.record(1).begin(RankPhase::kFinalize);
  EXPECT_EQ(node.run(190), Verdict::kFine);
}

TEST(StallWatch, ZeroIsNever) {
  Node node(2, {0, 600});
  wait_for(node, 2, 1);
  EXPECT_EQ(node.run(100000), Verdict::kFine);
}

TEST(StallWatch, NamesWhoIsLate) {
  struct Case {
    std::string expected;
    std::function<void(Node&)> set;
    int stopped = -1;
  };
  const std::vector<Case> cases = {
      {"late: rank 1 on here, process 4001: is at step 6, others are ahead",
       [](Node& node) {
         node.record(1).begin_step(6);
         node.record(1).begin(RankPhase::kUpdate);
       }},
      {"late: rank 2 on here, process 4002: waits for nobody, and others wait",
       [](Node& node) {
         node.record(1).begin(RankPhase::kExchange);
         node.record(2).end_wait();
         node.record(1).wait_for(2);
       }},
      // Stopped while it waited itself, at the same place as all others.
      {"late: rank 2 on here, process 4002: does not run: stopped, or ended",
       [](Node& node) {
         node.record(1).begin(RankPhase::kExchange);
         node.record(1).wait_for(0);
       },
       2},
      {"late: none of this node: all wait; rank 0 for rank 3 on elsewhere: that one, or the network",
       [](Node& node) {
         node.record(1).begin(RankPhase::kExchange);
         for (int i = 0; i < 3; ++i) node.record(i).wait_for(3);
       }},
      {"late: none of this node: all are in finalize",
       [](Node& node) {
         for (int i = 0; i < 3; ++i) {
           node.record(i).end_wait();
           node.record(i).begin(RankPhase::kFinalize);
         }
       }},
      {"late: rank 0 on here, process 4000; rank 1 on here, process 4001: is in finish, others are ahead",
       [](Node& node) {
         for (int i = 0; i < 3; ++i) node.record(i).begin(i == 2 ? RankPhase::kFinalize : RankPhase::kFinish);
       }},
  };
  for (const Case& one : cases) {
    Node node(3);
    wait_for(node, 3, 1);
    one.set(node);
    EXPECT_EQ(node.run(
                  4, [] {}, one.stopped),
              Verdict::kFine);
    EXPECT_EQ(node.blame(), one.expected);
  }
}

TEST(StallWatch, TheFirstThatRunsSpeaks) {
  for (const int own : {1, 2}) {
    Node node(3, {}, own);
    node.run(
        4, [] {}, 0);
    EXPECT_EQ(node.watch().speaks(), own == 1);
  }
}

TEST(StallWatch, TheTableHasAllThatIsKnown) {
  Node node(2);
  wait_for(node, 2, 1);
  node.record(0).expect(4096);
  node.record(0).finish(1024);
  node.run(
      4, [] {}, 1);
  const std::string table = node.watch().table();
  for (const std::string part :
       {"exchange", "compute", "4001", "rank 1", "1024 of 4096", "here", "does not run", " 7 "})
    EXPECT_NE(table.find(part), std::string::npos) << part << " in\n" << table;
}

/// What the watchdogs of thread-backed ranks would have done to processes.
struct Deeds {
  std::mutex mutex;
  std::vector<std::string> said, dumps;
  std::vector<std::string> files;
  std::atomic<int> ends{0};
  std::atomic<bool> is_orphan{false}, is_asked{false}, is_stopped{false};

  WatchdogActions actions() {
    WatchdogActions actions;
    actions.now = now_seconds;
    actions.works = [] { return false; };
    actions.is_orphan = [this] { return is_orphan.load(); };
    actions.is_asked = [this] { return is_asked.exchange(false); };
    actions.say = [this](const std::string& line) {
      const std::lock_guard lock(mutex);
      said.push_back(line);
    };
    actions.dump = [this](const std::string& line, const fs::path& file, const std::string& all) {
      const std::lock_guard lock(mutex);
      dumps.push_back(line);
      EXPECT_NE(all.find("late: "), std::string::npos) << all;
      files.push_back(file.filename().string());
    };
    actions.stop = [this] { is_stopped = true; };
    actions.arm_end = [] {};
    actions.end = [this] { ++ends; };
    return actions;
  }
};

constexpr StallRules kQuick{1, 2, 0.02};

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// Rank 1 loops for ever in its computation; the others wait for it in an exchange.
TEST(Watchdog, EndsRanksOfWhichOneLoops) {
  Deeds deeds;
  const TemporaryFolder folder;
  run_ranks(3, [&](Communicator& communicator) {
    Watchdog watchdog(kQuick, deeds.actions());
    watchdog.start(communicator);
    watchdog.write_to(communicator, communicator.rank() == 0 ? folder.path() : fs::path());
    record_of(communicator).begin_step(1);
    if (communicator.rank() == 1)
      while (deeds.ends < 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    record_of(communicator).begin(RankPhase::kExchange);
    barrier(communicator);
  });
  EXPECT_EQ(deeds.ends, 3);
  std::sort(deeds.files.begin(), deeds.files.end());
  EXPECT_EQ(deeds.files, (std::vector<std::string>{"stall-0.txt", "stall-1.txt", "stall-2.txt"}));
  const std::string text = joined(deeds.dumps), warnings = joined(deeds.said);
  EXPECT_NE(text.find("late: rank 1 on thread1"), std::string::npos) << text;
  EXPECT_EQ(text.find("late: ", text.find("late: ") + 1), std::string::npos) << "one rank speaks:\n" << text;
  EXPECT_NE(text.find("ends with code 75"), std::string::npos) << text;
  EXPECT_NE(warnings.find("warning: no rank of thread0 has moved"), std::string::npos) << warnings;
  EXPECT_NE(warnings.find("rank 1 on thread1"), std::string::npos) << warnings;
}

// All but one are done; it does not come to MPI_Finalize.
TEST(Watchdog, EndsRanksThatWaitInFinalize) {
  Deeds deeds;
  run_ranks(2, [&](Communicator& communicator) {
    Watchdog watchdog(kQuick, deeds.actions());
    watchdog.start(communicator);
    record_of(communicator).begin(communicator.rank() == 0 ? RankPhase::kFinalize : RankPhase::kUpdate);
    while (deeds.ends < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  EXPECT_NE(joined(deeds.dumps).find("late: rank 1 on thread1"), std::string::npos) << joined(deeds.dumps);
}

// Phases that tell no moves: whether the processor was used says whether the rank lives; not where it waits,
// and not in a step.
TEST(Watchdog, RanksThatUseTheProcessorLiveOutsideSteps) {
  const auto ends_in = [](RankPhase phase, bool waits) {
    Deeds deeds;
    double now_s = 0;
    WatchdogActions actions = deeds.actions();
    actions.now = [&] { return now_s; };
    actions.works = [] { return true; };
    run_ranks(1, [&](Communicator& communicator) {
      Watchdog watchdog({30, 600, kTick_s}, actions);
      watchdog.attach(communicator);
      record_of(communicator).begin(phase);
      if (waits) record_of(communicator).wait_for(1);
      for (; now_s < 2000 && deeds.ends == 0; now_s += kTick_s) watchdog.tick();
    });
    return deeds.ends > 0;
  };
  for (const auto phase :
       {RankPhase::kLoad, RankPhase::kEvaluate, RankPhase::kCheckpoint, RankPhase::kFinish}) {
    EXPECT_FALSE(ends_in(phase, false)) << name_of(phase);
    EXPECT_TRUE(ends_in(phase, true)) << name_of(phase);
  }
  EXPECT_TRUE(ends_in(RankPhase::kCompute, false));
  EXPECT_TRUE(ends_in(RankPhase::kFinalize, false));
}

TEST(Watchdog, ARankWithoutItsLauncherSavesAndEnds) {
  Deeds deeds;
  double now_s = 0;
  WatchdogActions actions = deeds.actions();
  actions.now = [&] { return now_s; };
  run_ranks(1, [&](Communicator& communicator) {
    Watchdog watchdog({30, 600, kTick_s}, actions);
    watchdog.attach(communicator);
    const auto work = [&](double seconds) {
      for (const double end_s = now_s + seconds; now_s < end_s; now_s += kTick_s) {
        record_of(communicator).begin_step(1);
        watchdog.tick();
      }
    };
    work(5);
    EXPECT_FALSE(deeds.is_stopped);
    deeds.is_orphan = true;
    work(1);
    EXPECT_TRUE(deeds.is_stopped);
    EXPECT_EQ(deeds.ends, 0);
    work(Watchdog::kOrphan_s + 1);
    EXPECT_GT(deeds.ends, 0);  // though it moves
  });
}

TEST(Watchdog, SaysWhereAllAreWhenAsked) {
  Deeds deeds;
  run_ranks(2, [&](Communicator& communicator) {
    Watchdog watchdog({30, 600, kTick_s}, deeds.actions());
    watchdog.attach(communicator);
    record_of(communicator).begin_step(12);
    barrier(communicator);
    if (communicator.rank() == 0) {
      deeds.is_asked = true;
      watchdog.tick();
    }
    barrier(communicator);
  });
  ASSERT_EQ(deeds.dumps.size(), 1U);
  EXPECT_NE(deeds.dumps[0].find("compute"), std::string::npos) << deeds.dumps[0];
  EXPECT_EQ(deeds.files[0], "");
  EXPECT_EQ(deeds.ends, 0);
}

// Long before there is a run directory, and while nothing but the processor's work shows that rows are read.
TEST(Watchdog, GivesASupervisorSignsOfLifeFromTheFirstMoment) {
  Deeds deeds;
  const TemporaryFolder folder;
  double now_s = 0;
  WatchdogActions actions = deeds.actions();
  actions.now = [&] { return now_s; };
  actions.works = [] { return true; };
  const fs::path file = folder.path() / "signs";
  const auto signs = [&] { return nlohmann::json::parse(read_file(file)); };
  setenv(kSignsVariable, file.c_str(), 1);
  run_ranks(1, [&](Communicator& communicator) {
    Watchdog watchdog({30, 600, kTick_s}, actions);
    watchdog.attach(communicator);
    record_of(communicator).begin(RankPhase::kLoad);
    watchdog.tick();
    EXPECT_EQ(signs().at("phase"), "load");
    EXPECT_EQ(signs().at("step"), -1);
    const int moves = signs().at("moves");
    now_s += 1;
    watchdog.tick();
    EXPECT_GT(signs().at("moves"), moves);
    watchdog.write_to(communicator, folder.path());
    record_of(communicator).begin_step(12);
    now_s += 1;
    watchdog.tick();
    EXPECT_EQ(signs().at("step"), 12);
    EXPECT_TRUE(fs::exists(folder.path() / "progress.json"));
  });
  unsetenv(kSignsVariable);
}

TEST(Watchdog, KeepsProgressInTheRunDirectory) {
  Deeds deeds;
  const TemporaryFolder folder;
  double now_s = 0;
  WatchdogActions actions = deeds.actions();
  actions.now = [&] { return now_s; };
  const auto progress = [&] { return nlohmann::json::parse(read_file(folder.path() / "progress.json")); };
  run_ranks(1, [&](Communicator& communicator) {
    Watchdog watchdog({30, 600, kTick_s}, actions);
    watchdog.attach(communicator);
    watchdog.write_to(communicator, folder.path());
    record_of(communicator).begin_step(12);
    watchdog.tick();
    EXPECT_EQ(progress(), (nlohmann::json{{"generation", nullptr},
                                          {"step", 12},
                                          {"phase", "compute"},
                                          {"pid", getpid()},
                                          {"host", "thread0"},
                                          {"moves", 1}}));
    watchdog.set_generation(3);
    record_of(communicator).begin_step(13);
    now_s += 0.5;
    watchdog.tick();
    EXPECT_EQ(progress().at("step"), 12);  // about once a second
    now_s += 0.5;
    watchdog.tick();
    EXPECT_EQ(progress().at("step"), 13);
    EXPECT_EQ(progress().at("generation"), 3);
    fs::remove_all(folder.path());
    for (int i = 0; i < 3; ++i, now_s += 2) watchdog.tick();
  });
  ASSERT_EQ(deeds.said.size(), 1U) << joined(deeds.said);
  EXPECT_NE(deeds.said[0].find("progress.json cannot be written"), std::string::npos) << deeds.said[0];
}

// The records follow a whole training, on threads with their watchdogs beside them, and no bit changes.
TEST(Watchdog, StandsBesideATraining) {
  const std::vector<std::string> settings = {"data.train=demo:blobs?rows=600&features=5",
                                             "model.name=softmax", "train.batch=64", "train.epochs=3",
                                             "data.valid=split:0.2"};
  const TemporaryFolder folder;
  TrainingRequest request;
  request.directory = folder.path() / "alone";
  train_on(2, settings, request);
  Deeds deeds;
  request.directory = folder.path() / "watched";
  run_ranks(2, [&](Communicator& communicator) {
    Watchdog watchdog({30, 600, 0.001}, deeds.actions());
    TrainingRequest mine = request;
    mine.watchdog = &watchdog;
    train_run(options_of(settings), builtin_plugins(), communicator, mine);
    EXPECT_EQ(record_of(communicator).read().phase, RankPhase::kFinish);
    EXPECT_EQ(record_of(communicator).read().step, 24);
    EXPECT_EQ(record_of(communicator).read().waits_for, -1);
    barrier(communicator);
  });
  EXPECT_EQ(summary_text(folder.path() / "watched", "parameters_hash"),
            summary_text(folder.path() / "alone", "parameters_hash"));
  EXPECT_TRUE(fs::exists(folder.path() / "watched" / "progress.json"));
  EXPECT_FALSE(fs::exists(folder.path() / "alone" / "progress.json"));
  EXPECT_EQ(joined(deeds.said) + joined(deeds.dumps), "");
}

// The real thing, called by another thread than the one it shows.
TEST(WatchdogActions, ShowTheStackOfTheThreadTheyGuard) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "stall-0.txt";
  WatchdogActions actions = process_actions(false);
  std::thread([&] { actions.dump("", file, "where it is\n"); }).join();
  const std::string text = read_file(file);
  EXPECT_TRUE(text.starts_with("where it is\nstack (state ")) << text;
  EXPECT_GT(std::count(text.begin(), text.end(), '\n'), 4) << text;
  EXPECT_FALSE(actions.is_asked());
  std::raise(SIGUSR2);
  EXPECT_TRUE(actions.is_asked());
  EXPECT_FALSE(actions.is_orphan());
}

TEST(WatchdogActions, EndWithTheCodeOfARunThatCanBeResumed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(process_actions(false).end(), ::testing::ExitedWithCode(75), "");
  // Armed, the end comes though nobody calls it.
  EXPECT_EXIT(
      {
        process_actions(false).arm_end();
        while (true) pause();
      },
      ::testing::ExitedWithCode(75), "");
}

}  // namespace
}  // namespace lockstep::testing
