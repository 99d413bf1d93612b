// SPDX-License-Identifier: Apache-2.0
// The update of a slice: what a rank holds, how often ranks talk, and what a step leaves alone.
#include "train/update_step.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include <cmath>
#include <limits>

#include "lockstep/run.h"
#include "optim/registry.h"
#include "reduce/registry.h"
#include "support/experiment.h"
#include "support/thread_communicator.h"
#include "train/options.h"
#include "train/trainer.h"

namespace lockstep::testing {
namespace {

ParameterLayout small_layout() {
  ParameterLayout layout;
  layout.add("weight_1", {90, 100}, true);
  layout.add("bias_1", {100}, false);
  layout.add("weight_2", {100, 43}, true);
  layout.add("bias_2", {43}, false);
  return layout;
}

Options options_for(std::vector<std::string> more) {
  more.insert(more.end(), {"data.train=demo:blobs", "model.name=softmax"});
  return options_of(more);
}

float value_at(Index i, int salt) {
  return std::sin(static_cast<float>(i * (3 + salt) % 1009)) * 0.1F;
}

/// One rank's update; the gradient is known, and nothing is summed.
struct Rank {
  Rank(const Options& asked, Communicator& communicator, const std::string& reduction = "canonical")
      : options(asked),
        optimizer(optimizer_registry().find(options.text("optim.name")).create(options)),
        reducer(reducer_registry().find(reduction).create({&communicator, &layout, 4})),
        average(options, 1, reducer->slice()),
        step(layout, *optimizer, read_regularization(options, *optimizer), *reducer) {
    const Slice slice = reducer->slice();
    gradient.resize(static_cast<std::size_t>(slice.end - slice.begin));
    for_each_parameter([&](Index i) { reducer->weights()[i] = value_at(i, 0); });
    reducer->publish(reducer->weights());
  }
  template <class Visit>
  void for_each_parameter(const Visit& visit) {
    for (const Tensor& tensor : layout.tensors())
      for (Index i = tensor.offset; i < tensor.offset + tensor.size; ++i)
        if (i >= reducer->slice().begin && i < reducer->slice().end) visit(i);
  }
  UpdateResult run(Index number, bool needs_objective_norm = false) {
    for_each_parameter([&](Index i) {
      gradient[static_cast<std::size_t>(i - reducer->slice().begin)] = value_at(i, static_cast<int>(number));
    });
    return step.run({gradient.data(), 3, 0.1, number, needs_objective_norm}, average);
  }
  std::vector<float> weights() const { return {reducer->weights(), reducer->weights() + layout.size()}; }

  ParameterLayout layout = small_layout();
  Options options;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<GradientReducer> reducer;
  WeightAverage average;
  UpdateStep step;
  AlignedVector<float> gradient;
};

/// Counts the rounds in which ranks share what they know of blocks.
class CountingReducer final : public GradientReducer {
 public:
  explicit CountingReducer(GradientReducer& inner) : inner_(inner) {}
  std::span<float* const> buffers() override { return inner_.buffers(); }
  float* weights() override { return inner_.weights(); }
  Slice slice() const override { return inner_.slice(); }
  float* reduce(const LocalSums& mine, Tail& total) override { return inner_.reduce(mine, total); }
  void publish(float* values) override { inner_.publish(values); }
  void share_blocks(double* all, int count) override {
    ++rounds;
    inner_.share_blocks(all, count);
  }
  std::string transport() const override { return inner_.transport(); }
  double take_exchange_seconds() override { return inner_.take_exchange_seconds(); }

  int rounds = 0;

 private:
  GradientReducer& inner_;
};

int rounds_of(const std::vector<std::string>& settings) {
  const auto communicator = make_single_communicator();
  Rank rank(options_for(settings), *communicator);
  CountingReducer counting(*rank.reducer);
  UpdateStep step(rank.layout, *rank.optimizer, read_regularization(rank.options, *rank.optimizer), counting);
  std::fill(rank.gradient.begin(), rank.gradient.end(), 0.5F);
  step.run({rank.gradient.data(), 1, 0.1, 1, true}, rank.average);
  return counting.rounds;
}

TEST(UpdateStep, SharesAllNormsInOneRound) {
  for (const std::string& name : optimizer_registry().names())
    EXPECT_EQ(rounds_of({"optim.name=" + name}), 1);
  EXPECT_EQ(rounds_of({"optim.name=adam", "optim.clip_norm=0.001", "optim.clip_value=0.1"}), 1);
  EXPECT_EQ(rounds_of({"optim.name=lamb", "optim.clip_norm=1e9", "optim.clip_value=0.1"}), 1);
  EXPECT_EQ(rounds_of({"optim.name=lamb", "optim.clip_norm=0.001"}), 2) << "it shortens the gradient";
}

TEST(UpdateStep, HoldsStateAndAverageOfItsSliceAlone) {
  for (const std::string reduction : {"canonical", "mpi"})
    run_ranks(3, [&](Communicator& communicator) {
      Rank rank(options_for({"optim.name=adam", "train.average=ema"}), communicator, reduction);
      const Slice slice = rank.reducer->slice();
      const auto size = static_cast<std::size_t>(slice.end - slice.begin);
      EXPECT_EQ(size < static_cast<std::size_t>(rank.layout.size()), reduction == "canonical");
      for (const auto& state : rank.step.state()) EXPECT_EQ(state.size(), size);
      EXPECT_EQ(rank.average.values().size(), size);
    });
}

// A trainer with adam and an average holds three vectors more than one with sgd: of the slice.
TEST(UpdateStep, MemoryOfATrainerGrowsByTheSlice) {
  const std::vector<std::string> common = {"data.train=demo:blobs?rows=100&features=700&classes=100",
                                           "model.name=softmax", "train.shards=4"};
  const Plugins plugins = builtin_plugins();
  run_ranks(3, [&](Communicator& communicator) {
    const auto bytes_with = [&](std::vector<std::string> settings) {
      settings.insert(settings.end(), common.begin(), common.end());
      const Options options = options_of(settings);
      LoadPlan plan;
      plan.shards = shard_count(options);
      plan.hosted = hosted_shards(communicator.rank(), communicator.size(), plan.shards);
      const DataSets data = load_datasets(options, plugins.formats, plan);
      TrainedModel model = make_model(options, plugins, schema_of(data.train));
      return Trainer(options, plugins, communicator, data, model).memory_bytes();
    };
    const std::size_t more =
        bytes_with({"optim.name=adam", "train.average=ema"}) - bytes_with({"optim.name=sgd"});
    const std::size_t whole = 3 * sizeof(float) * 70'100;
    EXPECT_GT(more, whole / 4);
    EXPECT_LT(more, whole / 2);
  });
}

TEST(UpdateStep, HasTheBitsOfOneRankOnAnyNumber) {
  for (const std::string& name : optimizer_registry().names())
    for (const std::string clip : {"0", "0.02"}) {
      const Options options = options_for({"optim.name=" + name, "optim.clip_norm=" + clip, "optim.l1=0.0001",
                                           "optim.l2=0.001", "train.average=ema", "optim.clip_value=0.1"});
      std::vector<float> expected, expected_average;
      double norm = 0, objective = 0;
      for (const int ranks : {1, 2, 3, 4})
        run_ranks(ranks, [&](Communicator& communicator) {
          Rank rank(options, communicator);
          UpdateResult last;
          for (Index step = 1; step <= 4; ++step) last = rank.run(step, true);
          std::vector<float> average(expected.size() + rank.weights().size());
          rank.average.collect(*rank.reducer, average.data());
          average.resize(rank.weights().size());
          if (ranks == 1) {
            expected = rank.weights();
            expected_average = average;
            norm = last.gradient_norm;
            objective = last.objective_norm;
          }
          EXPECT_EQ(rank.weights(), expected) << name << " on " << ranks;
          EXPECT_EQ(average, expected_average) << name << " on " << ranks;
          EXPECT_EQ(last.gradient_norm, norm);
          EXPECT_EQ(last.objective_norm, objective);
          EXPECT_GT(norm, 0);
        });
    }
}

// Clipping to half the norm is the same as twice the row weight.
TEST(UpdateStep, TrustRatiosAreOfTheClippedGradient) {
  const auto communicator = make_single_communicator();
  const auto weights_after = [&](const std::string& clip, double weight, double* norm) {
    Rank rank(options_for({"optim.name=lars", "optim.l2=1", "optim.clip_norm=" + clip}), *communicator);
    rank.for_each_parameter([&](Index i) { rank.gradient[static_cast<std::size_t>(i)] = value_at(i, 1); });
    *norm = rank.step.run({rank.gradient.data(), weight, 100, 1, false}, rank.average).gradient_norm;
    return rank.weights();
  };
  double norm = 0, same_norm = 0;
  const auto expected = weights_after("0", 6, &norm);
  const auto unclipped = weights_after("0", 3, &same_norm);
  const auto clipped = weights_after(fmt::format("{}", norm), 3, &same_norm);
  double error = 0, effect = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    error = std::max(error, std::abs(double(clipped[i]) - expected[i]));
    effect = std::max(effect, std::abs(double(unclipped[i]) - expected[i]));
  }
  EXPECT_NEAR(same_norm, 2 * norm, 1e-9 * norm);
  EXPECT_LT(error, 1e-6);  // roundings of weights of 0.1
  EXPECT_GT(effect, 1e-3);
}

// The direction of LAMB is formed before it is known whether the gradient is finite.
TEST(UpdateStep, ChangesNothingWhereOneSliceIsNotFinite) {
  for (const std::string& name : optimizer_registry().names())
    run_ranks(3, [&](Communicator& communicator) {
      Rank rank(options_for({"optim.name=" + name, "train.average=polyak"}), communicator);
      EXPECT_TRUE(rank.run(1).is_finite);
      const auto weights = rank.weights();
      const auto state = rank.step.state();
      const auto average = rank.average.values();
      if (communicator.rank() == 2) rank.gradient.back() = 0;  // padding is not looked at
      rank.for_each_parameter([&](Index i) {
        const auto at = static_cast<std::size_t>(i - rank.reducer->slice().begin);
        rank.gradient[at] = communicator.rank() == 1 ? std::numeric_limits<float>::quiet_NaN() : 1;
      });
      EXPECT_FALSE(rank.step.run({rank.gradient.data(), 3, 0.1, 2, true}, rank.average).is_finite) << name;
      EXPECT_EQ(rank.weights(), weights) << name;
      EXPECT_EQ(rank.step.state(), state) << name;
      EXPECT_EQ(rank.average.values(), average) << name;
      EXPECT_EQ(rank.average.count(), 1);
      communicator.check_peers();
      barrier(communicator);
    });
}

// The tensors are longer than what is averaged at a time.
TEST(UpdateStep, AveragesTheWeightsItHasWritten) {
  const auto communicator = make_single_communicator();
  Rank rank(options_for({"optim.name=adam", "train.average=ema", "train.average_decay=0.75"}), *communicator);
  std::vector<float> expected;
  for (Index step = 1; step <= 5; ++step) {
    rank.run(step);
    const auto weights = rank.weights();
    if (step == 1) expected = weights;
    for (std::size_t i = 0; i < weights.size(); ++i) expected[i] += 0.25F * (weights[i] - expected[i]);
  }
  EXPECT_EQ(std::vector<float>(rank.average.values().begin(), rank.average.values().end()), expected);
}

}  // namespace
}  // namespace lockstep::testing
