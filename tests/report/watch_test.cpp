// SPDX-License-Identifier: Apache-2.0
// What `lockstep watch` shows of a run that began, goes on, was killed, resumed or is over.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "lockstep/core/error.h"
#include "report/watch_screen.h"
#include "support/temporary_folder.h"

namespace lockstep::testing {
namespace {

const std::string kSchema =
    R"({"kind":"schema","name":"lockstep.metrics","version":1,"rows":6000,"features":20,"parameters":21,)"
    R"("batch":128,"shards":4,"ranks":2,"steps_per_epoch":47,"total_steps":100,"watch":"valid.loss"})";

std::string step_line(int step, const std::string& loss) {
  return R"({"kind":"step","step":)" + std::to_string(step) + R"(,"epoch":0.5,"rows":)" +
         std::to_string(128 * step) + R"(,"train_s":)" + std::to_string(0.01 * step) + R"(,"train.loss":)" +
         loss + R"(,"rate":0.1,"gradient_norm":0.5,"batch":128})";
}

class Watch : public ::testing::Test {
 protected:
  Watch() {
    folder_.write(".lock", "");
    folder_.write("metrics.jsonl", "");
  }
  ~Watch() override {
    if (lock_ >= 0) close(lock_);
  }
  void append(const std::string& text) {
    std::ofstream(folder_.path() / "metrics.jsonl", std::ios::app) << text;
  }
  void hold_lock() {
    lock_ = open((folder_.path() / ".lock").c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(flock(lock_, LOCK_EX | LOCK_NB), 0);
  }
  void release_lock() { close(std::exchange(lock_, -1)); }
  std::string screen(LiveRun& run, int width = 110) {
    run.refresh();
    return watch_screen(run, width);
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  TemporaryFolder folder_;
  int lock_ = -1;
};

TEST_F(Watch, IsHonestBeforeTheFirstLine) {
  LiveRun run(folder_.path());
  EXPECT_TRUE(has(screen(run), "nothing yet"));
  hold_lock();
  EXPECT_TRUE(has(screen(run), "starting"));
}

TEST_F(Watch, FollowsARun) {
  hold_lock();
  LiveRun run(folder_.path());
  append(kSchema + "\n" + step_line(10, "0.7") + "\n" + step_line(20, "0.6") + "\n");
  std::string text = screen(run);
  EXPECT_TRUE(has(text, "running")) << text;
  EXPECT_TRUE(has(text, "step 20 of 100")) << text;
  EXPECT_TRUE(has(text, "12,800 rows/s · 10 ms a step")) << text;
  EXPECT_TRUE(has(text, "0.8 s left")) << text;
  EXPECT_TRUE(has(text, "█▁")) << text;
  append(step_line(30, "0.5").substr(0, 40));  // half a line
  EXPECT_TRUE(has(screen(run), "step 20 of 100"));
  append(
      step_line(30, "0.5").substr(40) + "\n" +
      R"({"kind":"evaluation","step":30,"valid.loss":0.4,"valid.accuracy":0.9,"best":true})" + "\n" +
      R"({"kind":"evaluation","step":40,"train_s":0.4,"valid.loss":0.5,"valid.accuracy":0.8,"best":false})" +
      "\n" + R"({"kind":"noise","step":30,"noise.scale":250.0,"noise.scale_smoothed":240.0})" + "\n" +
      R"({"kind":"time","step":30,"steps":10,"step_ms":10.0,"slowest":1,"late_share":0.3,"ranks":[]})" +
      "\n");
  text = screen(run);
  EXPECT_TRUE(has(text, "step 40 of 100")) << text;  // of the newest line of any kind
  EXPECT_TRUE(has(text, "valid.loss 0.5 · valid.accuracy 0.8 at step 40; best valid.loss 0.4 at step 30"))
      << text;
  EXPECT_TRUE(has(text, "scale 250 rows, smoothed 240; batch 128")) << text;
  EXPECT_TRUE(has(text, "rank 1 is slow: 3 ms later than the others to every step, 30 % of a step")) << text;
}

TEST_F(Watch, SaysHowARunEnded) {
  LiveRun run(folder_.path());
  append(kSchema + "\n" + step_line(10, "null") + "\n");
  std::string text = screen(run);
  EXPECT_TRUE(has(text, "killed: no summary, and no process holds the lock")) << text;
  EXPECT_TRUE(has(text, "–          !")) << text;  // a loss that is not finite
  for (const auto& [status, said] :
       std::vector<std::pair<std::string, std::string>>{{"finished", "finished"},
                                                        {"target", "ended: target"},
                                                        {"stopped", "stopped; `lockstep resume "},
                                                        {"diverged", "ended: diverged"}}) {
    folder_.write("summary.json", R"({"status":")" + status + "\"}");
    EXPECT_TRUE(has(screen(run), said)) << status;
  }
  hold_lock();  // resumed: the summary is that of the session before
  EXPECT_TRUE(has(screen(run), "running"));
}

TEST_F(Watch, ReadsAFileThatWasCutFromItsStart) {
  LiveRun run(folder_.path());
  append(kSchema + "\n" + step_line(10, "0.7") + "\n" + step_line(90, "0.6") + "\n");
  EXPECT_TRUE(has(screen(run), "step 90 of 100"));
  folder_.write("metrics.jsonl", kSchema + "\n" + step_line(10, "0.7") + "\n");
  EXPECT_TRUE(has(screen(run), "step 10 of 100"));
  EXPECT_EQ(run.losses().size(), 1U);
}

TEST_F(Watch, NoLineIsWiderThanTheScreen) {
  LiveRun run(folder_.path());
  append(kSchema + "\n");
  for (int step = 1; step <= 100; ++step) append(step_line(step, "0.7") + "\n");
  for (const int width : {20, 40, 80}) {
    int characters = 0;
    for (const char c : screen(run, width)) {
      if (c == '\n') characters = 0;
      if (c != '\n' && (c & 0xC0) != 0x80) ++characters;
      EXPECT_LE(characters, width);
    }
  }
}

TEST_F(Watch, MemoryIsBounded) {
  LiveRun run(folder_.path());
  std::string lines;
  for (int step = 1; step <= 20000; ++step) lines += step_line(step, "0.7") + "\n";
  append(lines);
  run.refresh();
  EXPECT_LE(run.losses().size(), 4096U);
  EXPECT_GE(run.losses().size(), 2000U);
  EXPECT_EQ(run.last("step").at("step"), 20000);
}

TEST_F(Watch, ListsTheMembersOfAStudy) {
  folder_.write("study.json", R"({"schema":"lockstep.study/1","members":[
    {"name":"b128-r0.1","status":"target","steps":500,"best":0.31,"train_s":3.2,"time_to_target_s":2.5},
    {"name":"b1-r0.1","status":"pending"}]})");
  const std::string text = study_screen(folder_.path(), 110);
  EXPECT_TRUE(has(text, "b128-r0.1")) << text;
  EXPECT_TRUE(has(text, "pending")) << text;
  folder_.write("study.json", "{");
  EXPECT_THROW(study_screen(folder_.path(), 110), Error);
}

TEST(Sparkline, MeansOfEqualStretches) {
  EXPECT_EQ(sparkline({1, 2, 3, 4, 5, 6, 7, 8}, 8), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(sparkline({1, 3, 5, 7}, 2), "▁█");
  EXPECT_EQ(sparkline({2, 2}, 5), "▁▁");
  EXPECT_EQ(sparkline({1, std::nan(""), 3}, 5), "▁!█");
  EXPECT_EQ(sparkline({}, 5), "");
}

TEST(LiveRun, WantsARunDirectory) {
  const TemporaryFolder folder;
  EXPECT_THROW(LiveRun(folder.path() / "missing"), Error);
  EXPECT_THROW(LiveRun(folder.path()), Error);
}

}  // namespace
}  // namespace lockstep::testing
