// SPDX-License-Identifier: Apache-2.0
// One experiment has one result: the bits of every step are the same on any number of ranks, and whether the
// run was stopped and resumed on another number or not.
#include <gtest/gtest.h>
#include <xmmintrin.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "support/experiment.h"
#include "support/temporary_folder.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;

struct Experiment {
  std::string name;
  std::vector<std::string> settings;
};

void PrintTo(const Experiment& experiment, std::ostream* out) {
  *out << experiment.name;
}

// Numbers of rows, features, batches and shards that divide nothing.
std::vector<Experiment> experiments() {
  const std::string dense = "data.train=demo:blobs?rows=509&features=11&classes=3&noise=0.1";
  const std::string sparse = "data.train=demo:sparse?rows=509&features=307&nonzeros=7&noise=0.1";
  const std::string wide = "data.train=demo:sparse?rows=509&features=9007&nonzeros=7&noise=0.1";
  const std::string valid = "data.valid=demo:blobs?rows=101&features=11&classes=3&noise=0.1&part=valid";
  return {
      {"MlpDropoutAdam",
       {dense, "model.name=mlp", "model.hidden=19,7", "model.dropout=0.25", "optim.name=adam",
        "train.batch=53", "train.shards=6", "train.epochs=2"}},
      {"SparseL1",
       {sparse, "model.name=logistic", "optim.l1=0.001", "optim.learning_rate=0.5", "train.batch=61",
        "train.shards=8", "train.epochs=2"}},
      {"SparsePenalties",
       {wide, "model.name=logistic", "optim.l1=0.001", "optim.l2=0.01", "optim.learning_rate=0.5",
        "train.batch=61", "train.shards=8", "train.epochs=2"}},
      {"SparseAdagrad",
       {wide, "model.name=softmax", "optim.name=adagrad", "optim.l1=0.001", "optim.l2=0.01", "train.batch=31",
        "train.shards=5", "train.epochs=2"}},
      {"SparseFtrl",
       {wide, "model.name=mlp", "model.hidden=5", "optim.name=ftrl", "optim.l1=0.01", "train.batch=17",
        "train.epochs=1"}},
      {"FactorizationMachine",
       {wide, "model.name=fm", "model.factors=5", "model.min_count=3", "model.factor_l2=0.01",
        "optim.name=adagrad", "optim.l1=0.0001", "train.batch=31", "train.shards=5", "train.epochs=2"}},
      {"FactorizationMachineOfDenseRows",
       {dense, "model.name=fm", "model.loss=cross_entropy", "optim.name=adam", "train.batch=53",
        "train.shards=6", "train.epochs=2"}},
      {"BatchOfOne",
       {dense, "model.name=softmax", "optim.name=momentum", "train.batch=1", "train.shards=5",
        "train.steps=60"}},
      {"FullBatch",
       {dense, "model.name=softmax", "optim.name=nesterov", "train.batch=full", "train.steps=5",
        "optim.l2=0.01"}},
      {"LargeShards",  // more than one tile of 1,024 rows a shard
       {"data.train=demo:logistic?rows=5003&features=5", "model.name=logistic", "train.batch=full",
        "train.shards=3", "train.steps=3"}},
      {"Clipping",
       {dense, "model.name=mlp", "model.hidden=13", "optim.clip_norm=0.05", "optim.clip_value=0.01",
        "train.batch=97", "train.shards=7", "train.epochs=2"}},
      {"ManyBuckets",  // several tensors of more than the smallest bucket
       {dense, "model.name=mlp", "model.hidden=90,80,70", "train.batch=97", "train.shards=6",
        "optim.name=adam", "train.epochs=2"}},
      {"Lamb",
       {dense, "model.name=mlp", "model.hidden=70,70", "optim.name=lamb", "optim.clip_norm=0.5",
        "train.batch=128", "train.epochs=2", "optim.schedule=cosine"}},
      {"LambUnclipped",
       {dense, "model.name=mlp", "model.hidden=70,70", "optim.name=lamb", "optim.penalize_bias=true",
        "optim.l1=0.0001", "optim.weight_decay=0.01", "train.batch=128", "train.epochs=2"}},
      {"LarsClipped",
       {dense, "model.name=mlp", "model.hidden=70,70", "optim.name=lars", "optim.clip_norm=0.3",
        "optim.clip_value=0.02", "optim.l2=0.01", "train.batch=97", "train.epochs=2"}},
      {"AdamAverageAndBest",
       {dense, valid, "model.name=mlp", "model.hidden=70,70", "optim.name=adam", "train.average=ema",
        "train.average_decay=0.8", "train.patience=4", "eval.every=3 steps", "train.batch=64",
        "train.epochs=2"}},
      {"Lars",
       {dense, "model.name=mlp", "model.hidden=21", "optim.name=lars", "train.batch=40", "train.epochs=1"}},
      {"MoreShardsThanRows",
       {"data.train=demo:logistic?rows=11&features=3", "model.name=logistic", "train.batch=4",
        "train.shards=16", "train.epochs=3"}},
      {"FewerRowsThanRanksAndBatch",
       {"data.train=demo:linear?rows=3&features=2", "model.name=linear", "train.batch=128", "train.shards=8",
        "train.steps=4"}},
      {"MoreRanksThanShards",
       {dense, "model.name=softmax", "train.batch=50", "train.shards=2", "train.epochs=1"}},
      {"AveragesAndBest",
       {dense, valid, "model.name=softmax", "train.average=ema", "train.average_decay=0.9",
        "train.patience=3", "optim.schedule=plateau", "train.batch=64", "train.epochs=4"}},
      {"Polyak",
       {dense, "model.name=svm", "train.average=polyak", "train.average_start=3 steps", "train.batch=64",
        "train.epochs=2", "data.standardize=true"}},
  };
}

class Invariance : public ::testing::TestWithParam<Experiment> {
 protected:
  TrainingRequest into(const std::string& name) const {
    TrainingRequest request;
    request.directory = folder_.path() / name;
    return request;
  }
  std::vector<std::string> with(const std::vector<std::string>& more) const {
    return testing::with(GetParam().settings, more);
  }

  TemporaryFolder folder_;
};

TEST_P(Invariance, EveryStepHasTheSameBitsOnAnyNumberOfRanks) {
  std::vector<std::string> expected;
  for (const int ranks : {1, 2, 3, 4, 5, 7, 8}) {
    const auto request = into("P" + std::to_string(ranks));
    train_on(ranks, with({"log.hash_every=1"}), request);
    auto hashes = logged_hashes(request.directory);
    ASSERT_GE(hashes.size(), 2U);
    EXPECT_NE(hashes[0], hashes[1]);
    hashes.push_back(summary_text(request.directory, "parameters_hash"));
    if (expected.empty()) expected = hashes;
    EXPECT_EQ(hashes, expected) << ranks << " ranks";
  }
  for (const int ranks : {2, 3, 4}) {
    const auto request = into("messages" + std::to_string(ranks));
    train_on(ranks, with({"log.hash_every=1", "comm.shared_memory=false"}), request);
    EXPECT_EQ(summary_text(request.directory, "parameters_hash"), expected.back()) << ranks << " ranks";
  }
}

// Any ranks may be a node of their own, and gradients travel in any pieces.
TEST_P(Invariance, EveryStepHasTheSameBitsOnAnyNodes) {
  struct Nodes {
    int ranks;
    std::string sizes;
    int bucket_kib;
  };
  const auto alone = into("alone");
  train_on(1, GetParam().settings, alone);
  const std::string expected = summary_text(alone.directory, "parameters_hash");
  for (const Nodes& nodes : std::vector<Nodes>{{2, "1", 16},
                                               {4, "2", 4096},
                                               {4, "2", 16},
                                               {4, "3", 16},
                                               {6, "2", 16},
                                               {6, "2,4", 16},
                                               {5, "1,3", 4096}}) {
    const auto request =
        into(std::to_string(nodes.ranks) + " as " + nodes.sizes + " by " + std::to_string(nodes.bucket_kib));
    train_on(
        nodes.ranks,
        with({"comm.ranks_per_node=" + nodes.sizes, "comm.bucket_kib=" + std::to_string(nodes.bucket_kib)}),
        request);
    EXPECT_EQ(summary_text(request.directory, "parameters_hash"), expected) << request.directory.filename();
  }
}

// A checkpoint of every step is kept; each is the start of a run that must end where the undisturbed one did.
TEST_P(Invariance, ResumingOnOtherRanksEndsWithTheSameBits) {
  const auto whole = into("whole");
  train_on(2, with({"checkpoint.every=1 steps", "checkpoint.keep=1000"}), whole);
  const std::string expected = summary_text(whole.directory, "parameters_hash");
  std::vector<fs::path> checkpoints;
  for (const auto& entry : fs::directory_iterator(whole.directory / "checkpoints"))
    checkpoints.push_back(entry.path());
  std::sort(checkpoints.begin(), checkpoints.end());
  ASSERT_GE(checkpoints.size(), 3U);
  const bool tries_all = GetParam().name == "MlpDropoutAdam";
  const std::size_t stride = tries_all ? 1 : (checkpoints.size() + 2) / 3;
  int ranks = 1;
  for (std::size_t i = 0; i < checkpoints.size(); i += stride) {
    auto request = into("resumed" + std::to_string(i));
    request.resumes = true;
    fs::create_directories(request.directory / "checkpoints");
    fs::copy(checkpoints[i], request.directory / "checkpoints" / checkpoints[i].filename());
    train_on(ranks, GetParam().settings, request);
    EXPECT_EQ(summary_text(request.directory, "parameters_hash"), expected)
        << "from " << checkpoints[i].filename() << " on " << ranks << " ranks";
    ranks = ranks % 5 + 1;
  }
}

INSTANTIATE_TEST_SUITE_P(Experiments, Invariance, ::testing::ValuesIn(experiments()),
                         [](const auto& instance) { return instance.param.name; });

// A library that was built with -ffast-math leaves denormals flushed to zero.
TEST(FloatingPoint, ModeOfTheCallerDoesNotMatter) {
  constexpr unsigned int kFlush = 0x8040;
  const TemporaryFolder folder;
  // Weights of about 1e-40: flushed, they would all be zero.
  const std::vector<std::string> settings = {"data.train=demo:logistic?rows=100&features=3",
                                             "model.name=logistic", "optim.learning_rate=1e-39",
                                             "train.steps=3"};
  std::vector<std::string> hashes;
  const unsigned int before = _mm_getcsr();
  for (const unsigned int flags : {0U, kFlush}) {
    TrainingRequest request;
    request.directory = folder.path() / std::to_string(flags);
    _mm_setcsr(before | flags);
    train_on(2, settings, request);
    _mm_setcsr(before);
    hashes.push_back(summary_text(request.directory, "parameters_hash"));
  }
  EXPECT_EQ(hashes[0], hashes[1]);
}

// The textbook reduction is for comparison: near, not equal.
TEST(MpiReduction, IsNearTheCanonicalOne) {
  const TemporaryFolder folder;
  const std::vector<std::string> settings = {"data.train=demo:logistic?rows=500&features=6",
                                             "model.name=logistic",
                                             "data.test=demo:logistic?rows=500&features=6&part=test"};
  std::vector<double> losses;
  for (const std::string reduction : {"canonical", "mpi"}) {
    TrainingRequest request;
    request.directory = folder.path() / reduction;
    auto mine = settings;
    mine.push_back("train.reduction=" + reduction);
    losses.push_back(train_on(3, mine, request).metrics.at("test.loss"));
  }
  EXPECT_NEAR(losses[0], losses[1], 1e-5 * losses[0]);
}

}  // namespace
}  // namespace lockstep::testing
