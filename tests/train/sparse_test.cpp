// SPDX-License-Identifier: Apache-2.0
// Sparse steps train the model of dense ones: bit by bit without penalties, within rounding with them, on any
// number of ranks, and whatever is looked at or saved on the way.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "lockstep/core/error.h"
#include "support/experiment.h"
#include "support/temporary_folder.h"
#include "support/training.h"
#include "train/training_run.h"

namespace lockstep::testing {
namespace {

using Settings = std::vector<std::string>;

const std::string kRows = "data.train=demo:sparse?rows=1500&features=9000&nonzeros=9&noise=0.1";

TrainingOutcome train_with(const Settings& settings, int ranks = 1) {
  TrainingCase asked;
  asked.sets = with({kRows, "train.batch=50", "train.shards=6", "train.epochs=2", "eval.train=never",
                     "log.progress=none", "checkpoint.every=never"},
                    settings);
  asked.ranks = ranks;
  return train(asked);
}

TEST(SparseSteps, HaveTheBitsOfDenseOnes) {
  for (const Settings& settings :
       {Settings{"model.name=logistic"}, Settings{"model.name=logistic", "optim.name=adagrad"},
        Settings{"model.name=logistic", "optim.name=ftrl", "optim.l1=0.1", "optim.l2=0.1"},
        Settings{"model.name=svm", "optim.schedule=cosine", "optim.clip_norm=0.01", "model.bias=false"},
        Settings{"model.name=softmax", "optim.name=adagrad", "optim.clip_value=0.001"},
        Settings{"model.name=mlp", "model.hidden=10,5", "model.dropout=0.2"},
        Settings{"model.name=mlp", "model.hidden=3", "optim.name=ftrl"},
        Settings{"model.name=fm", "optim.name=adagrad", "model.min_count=4", "model.factor_l2=0.01"},
        Settings{"model.name=fm", "model.loss=cross_entropy", "model.factors=3", "optim.clip_norm=0.5"}}) {
    const std::string expected = train_with(with(settings, {"comm.sparse=off"})).outcome.hash;
    for (const int ranks : {1, 2, 3})
      for (const char* memory : {"true", "false"})
        EXPECT_EQ(
            train_with(with(settings, {"comm.sparse=on", std::string("comm.shared_memory=") + memory}), ranks)
                .outcome.hash,
            expected)
            << settings[0] << " on " << ranks << " ranks, shared memory " << memory;
  }
}

// The difference is measured against the largest weight.
double difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0, apart = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max<double>(largest, std::abs(a[i]));
    apart = std::max<double>(apart, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return apart / largest;
}

TEST(SparseSteps, MakeUpForPenaltiesWithinRounding) {
  const Settings logistic = {"model.name=logistic", "optim.learning_rate=0.5"};
  for (const Settings& penalties :
       {Settings{"optim.l1=0.0005"}, Settings{"optim.l2=0.01"},
        Settings{"optim.l1=0.0001", "optim.l2=0.01", "optim.schedule=inverse_sqrt", "optim.clip_norm=0.05"},
        Settings{"optim.weight_decay=0.05", "optim.schedule=plateau", "train.watch=train.loss",
                 "eval.train=always", "eval.every=7 steps"},
        Settings{"optim.name=adagrad", "optim.l1=0.0003"}, Settings{"optim.l2=1.5", "optim.l1=0.0001"},
        Settings{"optim.l2=3"},
        Settings{"model.name=fm", "model.factors=3", "optim.l1=0.0001", "optim.l2=0.01"}}) {
    const Settings settings = with(logistic, penalties);
    const TrainingOutcome dense = train_with(with(settings, {"comm.sparse=off"}));
    const TrainingOutcome sparse = train_with(with(settings, {"comm.sparse=on"}));
    // Weights that penalties alone act on are rounded in each of the 60 dense steps and once in sparse ones.
    // Those of linear models start at 0, factors do not, and the largest weight hardly grows: so they may be
    // 60 half units apart (measured: 1.8e-6, at a factor that no row acted on; the others at most 6.3e-7).
    EXPECT_LE(difference(dense.flat(), sparse.flat()), penalties[0] == "model.name=fm" ? 60 * 0x1p-24 : 1e-6)
        << penalties[0];
    for (const int ranks : {2, 3, 4})
      EXPECT_EQ(train_with(with(settings, {"comm.sparse=on"}), ranks).outcome.hash, sparse.outcome.hash)
          << penalties[0] << " on " << ranks << " ranks";
    EXPECT_EQ(train_with(with(settings, {"comm.sparse=on", "comm.shared_memory=false"}), 3).outcome.hash,
              sparse.outcome.hash);
  }
}

// adagrad's steps with l2 are made again one by one, over several windows of 256.
TEST(SparseSteps, OfAdagradWithL2HaveTheBitsOfDenseOnes) {
  const Settings settings = {"model.name=logistic", "optim.name=adagrad", "optim.l2=0.01",
                             "optim.l1=0.0001",     "train.batch=3",      "train.steps=600"};
  const std::string expected = train_with(with(settings, {"comm.sparse=off"})).outcome.hash;
  for (const int ranks : {1, 3})
    EXPECT_EQ(train_with(with(settings, {"comm.sparse=on"}), ranks).outcome.hash, expected);
}

class SparseRuns : public ::testing::Test {
 protected:
  TrainingRequest into(const std::string& name) const {
    TrainingRequest request;
    request.directory = folder_.path() / name;
    return request;
  }
  std::string hash_of(const std::string& name, int ranks, const Settings& settings) {
    train_on(ranks, settings, into(name));
    return summary_text(folder_.path() / name, "parameters_hash");
  }
  TemporaryFolder folder_;
};

const Settings kLazy = {kRows,           "model.name=logistic",     "comm.sparse=on", "optim.l1=0.0002",
                        "optim.l2=0.01", "optim.learning_rate=0.5", "train.batch=40", "train.epochs=2"};

TEST_F(SparseRuns, EndAlikeWhateverIsEvaluatedSavedAndHashed) {
  const std::string expected = hash_of("plain", 2, with(kLazy, {"eval.train=never"}));
  EXPECT_EQ(hash_of("watched", 2,
                    with(kLazy, {"eval.every=3 steps", "eval.train=always", "log.hash_every=2",
                                 "checkpoint.every=5 steps",
                                 "data.valid=demo:sparse?rows=100&features=9000&nonzeros=9&part=valid"})),
            expected);
}

TEST_F(SparseRuns, StartFromOtherWeights) {
  hash_of("start", 1, with(kLazy, {"train.steps=5"}));
  const std::string start = "model.init=" + (folder_.path() / "start").string();
  for (const char* optimizer : {"optim.name=ftrl", "optim.name=sgd"}) {
    Settings settings = {kRows,
                         "model.name=logistic",
                         start,
                         optimizer,
                         "train.batch=40",
                         "train.steps=20",
                         "eval.train=never"};
    if (optimizer == std::string("optim.name=ftrl"))
      settings =
          with(settings, {"optim.l1=0.01", "optim.l2=0.5", "optim.warmup=3 steps", "optim.warmup_start=0"});
    const std::string name = optimizer;
    const std::string dense = hash_of(name + "dense", 1, with(settings, {"comm.sparse=off"}));
    const std::string one = hash_of(name + "on", 1, with(settings, {"comm.sparse=on"}));
    if (name == "optim.name=sgd") {
      EXPECT_EQ(one, dense);
    }
    EXPECT_EQ(hash_of(name + "3", 3, with(settings, {"comm.sparse=on"})), one);
  }
}

TEST_F(SparseRuns, SkipStepsThatAreNotFinite) {
  const Settings settings = {kRows,
                             "model.name=linear",
                             "train.batch=40",
                             "train.steps=90",
                             "train.on_nan=skip",
                             "optim.learning_rate=1e5",
                             "eval.train=never"};
  const auto outcome = [&](int ranks, const char* sparse) -> std::string {
    const std::string name = std::to_string(ranks) + sparse;
    try {
      return hash_of(name, ranks, with(settings, {sparse}));
    } catch (const Error& error) {
      return error.what();
    }
  };
  const std::string dense = outcome(1, "comm.sparse=off");
  EXPECT_EQ(outcome(1, "comm.sparse=on"), dense);
  EXPECT_EQ(outcome(3, "comm.sparse=on"), dense);
}

std::string refusal(const Settings& settings) {
  try {
    train_with(with(settings, {"comm.sparse=on"}));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    return error.what();
  }
  return "";
}

TEST(SparseChoice, SaysWhyItCannotBe) {
  const std::string logistic = "model.name=logistic";
  EXPECT_NE(refusal({logistic, "optim.name=adam"}).find("adam"), std::string::npos);
  EXPECT_NE(refusal({logistic, "train.average=ema"}).find("ema"), std::string::npos);
  EXPECT_NE(refusal({logistic, "train.tolerance=1e-9"}).find("train.tolerance"), std::string::npos);
  EXPECT_NE(refusal({logistic, "train.reduction=mpi"}).find("mpi"), std::string::npos);
  EXPECT_NE(refusal({logistic, "data.train=demo:logistic"}).find("dense"), std::string::npos);
}

// Few columns: dense. Many: sparse, with the penalty's other bits.
TEST(SparseChoice, IsMadeByARule) {
  const auto hash = [](const std::string& rows, const std::string& sparse) {
    return train_with({"data.train=demo:sparse?rows=500&nonzeros=9&features=" + rows, "model.name=logistic",
                       "train.batch=50", "optim.l2=0.1", "comm.sparse=" + sparse})
        .outcome.hash;
  };
  EXPECT_EQ(hash("1799", "auto"), hash("1799", "off"));
  EXPECT_EQ(hash("1800", "auto"), hash("1800", "on"));
  EXPECT_NE(hash("1800", "auto"), hash("1800", "off"));
}

}  // namespace
}  // namespace lockstep::testing
