// SPDX-License-Identifier: Apache-2.0
// A bit that flips on one rank is found, the rank named, and what looks for it changes nothing.
#include "train/audit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "cli/option_table.h"
#include "core/config.h"
#include "lockstep/core/error.h"
#include "reduce/canonical_reducer.h"
#include "support/experiment.h"
#include "support/faulty_plugins.h"
#include "support/temporary_folder.h"
#include "support/thread_communicator.h"
#include "support/training.h"
#include "train/checkpoint.h"
#include "train/leaf_hash.h"
#include "train/weight_check.h"

namespace lockstep::testing {
namespace {

using Settings = std::vector<std::string>;
constexpr int kShards = 4;
constexpr Index kRows = 320, kBatch = 64;

const Settings kFaulty = {"data.train=demo:blobs?rows=320&features=7&classes=3&noise=0.2",
                          "train.shards=4",
                          "train.batch=64",
                          "train.steps=40",
                          "train.noise_every=0",
                          "log.hash_every=1000",  // copies are compared there too
                          "optim.name=adam",
                          "eval.train=never"};

struct End {
  int code = 0;
  std::string message;
  std::string hash;
  std::string newest;  // checkpoint
  Index back_to = -1;  // of a rollback
};

// All ranks must come to the same end.
End run(int ranks, const Settings& settings, const Fault& fault) {
  const TemporaryFolder folder;
  const Plugins plugins = faulty_plugins(fault);
  ConfigRequest request;
  request.read_environment = false;
  request.sets =
      with({"log.progress=none", "checkpoint.every=never", "log.curves=false"}, with(kFaulty, settings));
  const Options options = resolve_config(all_options(plugins), request);
  TrainingRequest training;
  training.directory = folder.path() / "run";
  std::vector<End> ends(static_cast<std::size_t>(ranks));
  run_ranks(ranks, [&](Communicator& communicator) {
    be_rank(communicator.rank());
    End& mine = ends[static_cast<std::size_t>(communicator.rank())];
    try {
      mine.code = train_run(options, plugins, communicator, training).exit_code;
    } catch (const AgreedError& error) {
      mine.code = static_cast<int>(error.code());
      mine.message = error.what();
    }
  });
  for (const End& end : ends) {
    EXPECT_EQ(end.code, ends[0].code);
    EXPECT_EQ(end.message, ends[0].message);
  }
  if (ends[0].code == 0) ends[0].hash = summary_text(training.directory, "parameters_hash");
  if (const auto all = list_checkpoints(training.directory); !all.empty())
    ends[0].newest = all[0].filename().string();
  std::ifstream lines(training.directory / "metrics.jsonl");
  for (std::string line; std::getline(lines, line);)
    if (const auto json = nlohmann::json::parse(line); json.value("action", "") == "rollback")
      ends[0].back_to = json.at("step");
  return ends[0];
}

BatchWindow window_of(Index step) {
  const Index per_epoch = kRows / kBatch;
  return {static_cast<std::uint64_t>(step / per_epoch), step % per_epoch * kBatch,
          (step % per_epoch + 1) * kBatch};
}

bool names(const End& end, int rank) {
  return end.message.find(" " + std::to_string(rank) + " on thread" + std::to_string(rank)) !=
         std::string::npos;
}

TEST(Audit, LooksAtOneShardInEveryKStepsOnAnotherRank) {
  for (const int ranks : {1, 2, 3, 7})
    for (const Index every : {1, 3, 10}) {
      std::set<int> shards, auditors;
      for (Index begin = 0; begin < 300 * every; begin += every) {
        int audits = 0;
        for (Index step = begin; step < begin + every; ++step) {
          const auto choice = Audit::choose(5, every, step, {0, 17, 17 + 9}, 16, ranks);
          if (choice.shard < 0) continue;
          ++audits;
          shards.insert(choice.shard);
          auditors.insert(choice.auditor);
          EXPECT_LT((choice.shard - 17 % 16 + 16) % 16, 9) << "it has no rows";
          const TreeNode hosted = hosted_shards(choice.host, ranks, 16);
          EXPECT_TRUE(choice.shard >= hosted.first && choice.shard < hosted.last);
          EXPECT_EQ(choice.auditor == choice.host, ranks == 1);
          EXPECT_EQ(choice.third >= 0, ranks > 2);
          EXPECT_TRUE(choice.third != choice.host && choice.third != choice.auditor && choice.third < ranks);
        }
        EXPECT_EQ(audits, 1);
      }
      EXPECT_EQ(shards.size(), 9U);
      EXPECT_EQ(auditors.size(), static_cast<std::size_t>(ranks));
    }
}

// The first audit in which the rank has a part; of three ranks, two outvote it.
TEST(Audit, NamesTheRankThatComputesWrongly) {
  for (const std::string every : {"1", "3"})
    for (const int wrong : {0, 1, 2}) {
      Index step = 0;
      for (;; ++step) {
        const auto choice = Audit::choose(1, std::stoi(every), step, window_of(step), kShards, 3);
        if (choice.shard >= 0 && (choice.host == wrong || choice.auditor == wrong)) break;
      }
      const End end = run(3, {"model.name=faulty_softmax", "train.audit=" + every}, {wrong});
      EXPECT_EQ(end.code, static_cast<int>(ExitCode::kDisagree)) << end.message;
      EXPECT_NE(end.message.find("in step " + std::to_string(step + 1) + " is"), std::string::npos)
          << end.message;
      for (int rank = 0; rank < 3; ++rank) EXPECT_EQ(names(end, rank), rank == wrong) << end.message;
    }
}

TEST(Audit, OfTwoRanksNamesBothWhereNobodyKnows) {
  const End end = run(2, {"model.name=faulty_softmax", "train.audit=1"}, {1});
  EXPECT_EQ(end.code, static_cast<int>(ExitCode::kDisagree));
  EXPECT_NE(end.message.find("nobody knows"), std::string::npos) << end.message;
  EXPECT_TRUE(names(end, 0) && names(end, 1)) << end.message;
}

// One call of one step: on one rank an audit calls backward() first, then the shards follow one by one.
Fault passing_fault() {
  return {0, 1 + Audit::choose(1, 1, 0, window_of(0), kShards, 1).shard,
          1 + Audit::choose(1, 1, 0, window_of(0), kShards, 1).shard};
}

TEST(Audit, FindsOnOneRankWhatComesAndGoes) {
  const Settings settings = {"model.name=faulty_softmax", "train.audit=1"};
  EXPECT_EQ(run(1, settings, {}).code, 0);
  const End end = run(1, settings, passing_fault());
  EXPECT_EQ(end.code, static_cast<int>(ExitCode::kDisagree));
  EXPECT_TRUE(names(end, 0)) << end.message;
  EXPECT_NE(end.message.find("right when it tried again"), std::string::npos) << end.message;
}

TEST(Audit, RollsBackWhatComesAndGoesAndEndsForWhatStays) {
  const Settings settings = {"model.name=faulty_softmax", "train.audit=1", "train.on_disagree=rollback"};
  const End end = run(1, settings, passing_fault());
  EXPECT_EQ(end.code, 0) << end.message;
  EXPECT_EQ(end.hash, run(1, settings, {}).hash);
  const End stays = run(3, settings, {1, 5});
  EXPECT_EQ(stays.code, static_cast<int>(ExitCode::kDisagree));
  EXPECT_NE(stays.message.find("not for the first time"), std::string::npos) << stays.message;
}

// Also that there is no false alarm: bytes, tiles, dropout, sparse steps with weights to be made up for.
TEST(Audit, ChangesNoBitAndRaisesNoFalseAlarm) {
  const std::string dense = "data.train=demo:blobs?rows=509&features=11&classes=3&noise=0.1";
  const std::string wide = "data.train=demo:sparse?rows=509&features=9007&nonzeros=7&noise=0.1";
  const std::vector<Settings> runs = {
      {dense, "model.name=mlp", "model.hidden=19,7", "model.dropout=0.25", "train.batch=53", "train.shards=6",
       "train.epochs=2"},
      {dense, "model.name=softmax", "train.batch=1", "train.shards=5", "train.steps=40"},
      {"data.train=demo:logistic?rows=5003&features=5", "model.name=logistic", "train.batch=full",
       "train.shards=3", "train.steps=3"},
      {wide, "model.name=logistic", "optim.l1=0.001", "optim.l2=0.01", "train.batch=61", "train.shards=8",
       "train.epochs=2"},
      {wide, "model.name=softmax", "optim.name=adagrad", "optim.l2=0.01", "train.batch=31", "train.shards=5",
       "train.epochs=1"},
      {wide, "model.name=fm", "model.factors=5", "model.min_count=3", "train.batch=31", "train.shards=5",
       "train.epochs=1"},
      {wide, "model.name=mlp", "model.hidden=5", "optim.name=ftrl", "optim.l1=0.01", "train.batch=17",
       "train.epochs=1"},
      {wide, "model.name=logistic", "comm.sparse=off", "train.batch=61", "train.epochs=1"}};
  for (const Settings& settings : runs) {
    TrainingCase asked;
    asked.sets = with(settings, {"eval.train=never"});
    const std::string expected = train(asked).outcome.hash;
    for (const int ranks : {1, 2, 3})
      for (const Settings& way : {Settings{"comm.shared_memory=true"}, Settings{"comm.shared_memory=false"},
                                  Settings{"comm.ranks_per_node=1", "comm.bucket_kib=16"}}) {
        asked.ranks = ranks;
        asked.sets = with(with(settings, way), {"eval.train=never", "train.audit=1", "train.check_every=1"});
        EXPECT_EQ(train(asked).outcome.hash, expected) << settings[1] << " on " << ranks << ", " << way[0];
      }
  }
}

TEST(LeafHash, OfSparseStepsIsThatOfWholeGradients) {
  constexpr Index kFeatures = 500, kWidth = 3;
  ParameterLayout whole, part;
  whole.add("weight", {kFeatures, kWidth}, true);
  whole.add("bias", {kWidth}, false);
  std::vector<std::uint32_t> keys;
  for (std::uint32_t key = 3; key < kFeatures; key += 1 + key % 7) keys.push_back(key);
  part.add("weight", {static_cast<Index>(keys.size()), kWidth}, true);
  part.add("bias", {kWidth}, false);
  std::vector<float> all(static_cast<std::size_t>(whole.size())), some(static_cast<std::size_t>(part.size()));
  std::mt19937 random(3);
  for (std::size_t i = 0; i < keys.size(); i += 2)  // the others are of another shard: zero
    for (std::size_t k = 0; k < kWidth; ++k)
      some[i * kWidth + k] = all[keys[i] * kWidth + k] = static_cast<float>(random() % 1000) - 500;
  some[static_cast<std::size_t>(part[1].offset)] = all[static_cast<std::size_t>(whole[1].offset)] = 7;
  const std::uint64_t hash = sparse_leaf_hash(whole, nullptr, all.data());
  EXPECT_EQ(sparse_leaf_hash(part, keys.data(), some.data()), hash);
  std::swap(all[keys[0] * kWidth], all[keys[0] * kWidth + 1]);
  EXPECT_NE(sparse_leaf_hash(whole, nullptr, all.data()), hash);
}

// Where gradients are added in the tree, owners renew all copies in every step: a fault is seen where it
// stays, or where the copies are compared after every step.
TEST(WeightCheck, NamesTheNodeWhoseWeightsAreOthers) {
  const Settings apart = {"model.name=softmax", "comm.ranks_per_node=1", "train.reduction=faulty"};
  for (const int wrong : {0, 1, 2}) {
    const End stays = run(3, with(apart, {"train.check_every=5"}), {wrong, 7});
    EXPECT_EQ(stays.code, static_cast<int>(ExitCode::kDisagree)) << stays.message;
    EXPECT_NE(stays.message.find("after step 10:"), std::string::npos) << stays.message;
    for (int rank = 0; rank < 3; ++rank) EXPECT_EQ(names(stays, rank), rank == wrong) << stays.message;
    const End once = run(3, with(apart, {"train.check_every=1"}), {wrong, 7, 7});
    EXPECT_NE(once.message.find("after step 7:"), std::string::npos) << once.message;
    for (int rank = 0; rank < 3; ++rank) EXPECT_EQ(names(once, rank), rank == wrong) << once.message;
  }
}

TEST(WeightCheck, FindsWithinKStepsWhereCopiesDriftApart) {
  const Settings apart = {"model.name=softmax", "train.reduction=faulty_mpi", "train.check_every=10"};
  const End end = run(3, apart, {2, 13, 13});
  EXPECT_NE(end.message.find("after step 20:"), std::string::npos) << end.message;
  EXPECT_TRUE(names(end, 2) && !names(end, 0) && !names(end, 1)) << end.message;
}

// All ranks would read the same from it, and none would disagree any more.
TEST(WeightCheck, LeavesNoCheckpointSinceTheLastThatPassed) {
  const Settings saving = {"model.name=softmax",   "train.reduction=faulty_mpi",
                           "train.check_every=10", "checkpoint.every=3 steps",
                           "checkpoint.keep=100",  "checkpoint.background=false"};
  EXPECT_EQ(run(3, saving, {}).newest, "step-000000000039-g0001");
  const End end = run(3, saving, {2, 13, 13});
  EXPECT_EQ(end.code, static_cast<int>(ExitCode::kDisagree)) << end.message;
  EXPECT_EQ(end.newest, "step-000000000009-g0001") << "step 10 is the last where copies were the same";
}

TEST(WeightCheck, OfTwoNodesNamesBoth) {
  const End end =
      run(2, {"model.name=softmax", "comm.ranks_per_node=1", "train.reduction=faulty", "train.check_every=1"},
          {0, 3});
  EXPECT_EQ(end.code, static_cast<int>(ExitCode::kDisagree));
  EXPECT_TRUE(names(end, 0) && names(end, 1)) << end.message;
}

TEST(WeightCheck, KnowsTheOrderOfBlocks) {
  ParameterLayout layout;
  layout.add("weight", {2, 4096}, true);
  run_ranks(2, [&](Communicator& communicator) {
    CanonicalReducer reducer({&communicator, &layout, 2, false});
    WeightCheck check(communicator, layout, reducer);
    EXPECT_EQ(check.copies(), 2);
    std::vector<float> weights(8192, 1.0F);
    std::fill_n(weights.begin(), 4096, 2.0F);
    EXPECT_FALSE(check.compare(weights.data()));
    if (communicator.rank() == 1) std::reverse(weights.begin(), weights.end());
    EXPECT_TRUE(check.compare(weights.data()));
  });
}

TEST(WeightCheck, RollsBackToTheHashOfTheUndisturbedRun) {
  const Settings settings = {"model.name=softmax", "comm.ranks_per_node=1", "train.reduction=faulty",
                             "train.check_every=1", "train.on_disagree=rollback"};
  const End end = run(3, settings, {1, 9, 9});
  EXPECT_EQ(end.code, 0) << end.message;
  EXPECT_EQ(end.hash, run(3, settings, {}).hash);
  EXPECT_EQ(end.hash, run(1, settings, {}).hash);
}

const Settings kDrifting = {"model.name=softmax", "train.reduction=faulty_mpi", "train.on_disagree=rollback"};

// Without train.check_every copies are compared where the hash is told: that is where to go back to.
TEST(WeightCheck, RollsBackToTheLastHash) {
  const Settings settings = with(kDrifting, {"log.hash_every=5"});
  const End end = run(3, settings, {1, 13, 13});
  EXPECT_EQ(end.code, 0) << end.message;
  EXPECT_EQ(end.back_to, 10);
  EXPECT_EQ(end.hash, run(3, settings, {}).hash);
}

TEST(WeightCheck, ARollbackTakesBackThatTheRunWasFinished) {
  const Settings settings = with(kDrifting, {"log.hash_every=1", "train.tolerance=1e9"});
  const End whole = run(3, settings, {}), end = run(3, settings, {1, 1, 1});
  EXPECT_EQ(end.code, 0) << end.message;
  EXPECT_EQ(end.back_to, 0);
  EXPECT_EQ(end.hash, whole.hash);
}

}  // namespace
}  // namespace lockstep::testing
