// SPDX-License-Identifier: Apache-2.0
// What a study trains: all combinations, resolved for the rows there are, and nothing else.
#include "cli/study_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cli/option_table.h"
#include "core/config.h"
#include "lockstep/core/error.h"
#include "lockstep/run.h"
#include "support/temporary_folder.h"

namespace lockstep {
namespace {

class StudyPlanTest : public ::testing::Test {
 protected:
  Options options(const std::string& toml, std::vector<std::string> sets = {}) {
    return resolve_config(
        all_options(plugins_),
        {{folder_.write("study.toml", "model.name = \"logistic\"\n" + toml)}, false, std::move(sets)});
  }
  StudyPlan plan(const std::string& toml, Index rows = 1000, int concurrent = 1) {
    return plan_study(options(toml), plugins_, rows, concurrent);
  }

  Plugins plugins_ = builtin_plugins();
  testing::TemporaryFolder folder_;
};

TEST_F(StudyPlanTest, HasEveryCombinationOnceUnderItsOwnName) {
  const StudyPlan all = plan(
      "[study]\nbatches = [\"full\", 10]\nrates = [0.1, 1]\nranks = [1, 2]\nseeds = 3\n"
      "vary = { \"optim.l2\" = [0, 0.1], optim.clip_norm = [0, 1] }");
  EXPECT_EQ(all.members.size(), 2U * 2 * 2 * 3 * 2 * 2);
  std::set<std::string> names;
  for (const StudyMember& member : all.members) names.insert(member.name);
  EXPECT_EQ(names.size(), all.members.size());
  const StudyMember& last = all.members.back();
  EXPECT_EQ(last.batch, 10);
  EXPECT_EQ(last.rate, 1);
  EXPECT_EQ(last.ranks, 2);
  EXPECT_EQ(last.seed, 3);
  EXPECT_EQ(last.options.real("optim.l2"), 0.1);
  EXPECT_EQ(last.options.real("optim.clip_norm"), 1);
}

TEST_F(StudyPlanTest, TakesVariedKeysInEveryForm) {
  for (const char* form :
       {"[study.vary]\n\"optim.name\" = [\"sgd\", \"adam\"]",
        "[study.vary.optim]\nname = [\"sgd\", \"adam\"]",
        "[study]\nvary = { \"optim.name\" = [\"sgd\", \"adam\"] }",
        "[study]\nvary = [\"optim.name = sgd | adam\"]", "study.vary.optim.name = [\"sgd\", \"adam\"]"}) {
    const StudyPlan all = plan(std::string(form));
    EXPECT_EQ(all.axes[2].key, "optim.name") << form;
    EXPECT_EQ(all.axes[2].values, (std::vector<std::string>{"sgd", "adam"})) << form;
  }
}

TEST_F(StudyPlanTest, AConfigThatWasResolvedGivesTheSameStudy) {
  const Options first = options("[study]\nbatches = [1]\nvary = { \"model.hidden\" = [[8], [8, 4]] }",
                                {"model.name=mlp", "study.rates=0.1"});
  const Options again =
      resolve_config(first.table(), {{folder_.write("resolved.toml", to_toml(first, true))}, false, {}});
  const StudyPlan plan = plan_study(again, plugins_, 100, 1);
  EXPECT_EQ(to_toml(first, false), to_toml(again, false));
  ASSERT_EQ(plan.members.size(), 2U);
  EXPECT_EQ(plan.members[1].options.integers("model.hidden"), (std::vector<std::int64_t>{8, 4}));
}

TEST_F(StudyPlanTest, DefaultsSpanFullToOneAndRatesAroundTheConfig) {
  const StudyPlan all = plan("optim.learning_rate = 0.3", 1000);
  EXPECT_EQ(all.axes[0].values, (std::vector<std::string>{"full", "256", "64", "16", "4", "1"}));
  EXPECT_EQ(all.axes[1].values, (std::vector<std::string>{"0.1", "0.3", "0.9"}));
}

TEST_F(StudyPlanTest, BatchesThatAreEqualForTheseRowsCountOnce) {
  EXPECT_EQ(plan("study.batches = [\"full\", 4096, 7, 7]", 100).axes[0].values,
            (std::vector<std::string>{"full", "7"}));
  EXPECT_EQ(plan("", 1).axes[0].values, (std::vector<std::string>{"full"}));
}

TEST_F(StudyPlanTest, SharesOfTheBudgetAreEqual) {
  const StudyPlan one = plan("study.budget = \"60s\"\nstudy.batches = [1, 2, 3]\nstudy.rates = [0.1, 1]");
  const StudyPlan two =
      plan("study.budget = \"60s\"\nstudy.batches = [1, 2, 3]\nstudy.rates = [0.1, 1]", 1000, 2);
  EXPECT_DOUBLE_EQ(one.share_s, 10);
  EXPECT_DOUBLE_EQ(two.share_s, 20);
  for (const StudyMember& member : one.members) EXPECT_EQ(member.options.text("train.budget"), "10.000s");
}

TEST_F(StudyPlanTest, FewEpochsOfLargeBatchesBecomeEnoughSteps) {
  EXPECT_EQ(member_epochs(5, 1000, 1, 1000), 5);
  EXPECT_EQ(member_epochs(5, 1000, 1000, 1000), 1000);
  EXPECT_EQ(member_epochs(5, 1000, 300, 1000), 250);
  EXPECT_EQ(member_epochs(0.5, 0, 300, 1000), 0.5);
}

TEST_F(StudyPlanTest, MembersAreNoStudiesAndKeepTheRestOfTheConfig) {
  const StudyPlan all = plan("study.seeds = 2\neval.every = \"3 steps\"\noptim.l2 = 0.25\nrun.seed = 7");
  for (const StudyMember& member : all.members) {
    EXPECT_TRUE(member.options.is_default("study.seeds"));
    EXPECT_EQ(member.options.text("eval.every"), "3 steps");
    EXPECT_EQ(member.options.real("optim.l2"), 0.25);
  }
  EXPECT_EQ(all.members[0].seed, 7);
  EXPECT_EQ(all.members[1].seed, 8);
}

TEST_F(StudyPlanTest, RefusesWhatCannotBeRun) {
  for (const char* toml :
       {"study.vary = [\"optim.nam = a\"]", "study.vary = [\"optim.l2\"]", "study.vary = [\"optim.l2 = x\"]",
        "study.vary = [\"run.seed = 1\"]", "study.batches = [0]", "study.budget = \"soon\"",
        "[study.vary]\n\"optim.l2\" = 3", "[study.vary]\n\"optim.l2\" = []"})
    EXPECT_THROW(plan(toml), Error) << toml;
}

}  // namespace
}  // namespace lockstep
