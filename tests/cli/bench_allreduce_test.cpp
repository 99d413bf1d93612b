// SPDX-License-Identifier: Apache-2.0
// bench allreduce times nothing that adds up wrong.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "cli/allreduce_trial.h"
#include "lockstep/core/error.h"
#include "lockstep/run.h"
#include "reduce/mpi_reducer.h"
#include "support/thread_communicator.h"

namespace lockstep {
namespace {

/// Adds up, but for the last element of what rank 0 gets to see.
class WrongReducer final : public GradientReducer {
 public:
  explicit WrongReducer(const ReducerContext& context)
      : right_(context), last_(context.layout->logical_size() - 1), rank_(context.communicator->rank()) {}

  std::span<float* const> buffers() override { return right_.buffers(); }
  float* weights() override { return right_.weights(); }
  Slice slice() const override { return right_.slice(); }
  void publish(float* values) override { right_.publish(values); }
  void share_blocks(double* all, int count) override { right_.share_blocks(all, count); }
  std::string transport() const override { return "none"; }
  double take_exchange_seconds() override { return 0; }
  float* reduce(const LocalSums& mine, Tail& total) override {
    float* const sum = right_.reduce(mine, total);
    if (rank_ == 0) sum[last_] += 1;
    return sum;
  }

 private:
  MpiReducer right_;
  Index last_;
  int rank_;
};

std::unique_ptr<GradientReducer> make_wrong(const ReducerContext& context) {
  return std::make_unique<WrongReducer>(context);
}

TEST(BenchAllreduce, TimesWhatAddsUp) {
  const Plugins plugins = builtin_plugins();
  run_ranks(3, [&](Communicator& communicator) {
    for (const std::size_t bytes : {8, 80000}) {
      AllreduceTrial trial(communicator, plugins, bytes);
      trial.verify();
      const AllreduceTimes times = trial.measure(2);
      EXPECT_EQ(times.bytes, bytes);
      EXPECT_GT(times.lockstep_s, 0);
      EXPECT_GT(times.mpi_s, 0);
    }
  });
}

TEST(BenchAllreduce, OneWrongElementOnOneRankEndsIt) {
  Plugins plugins = builtin_plugins();
  plugins.reducers = Registry<ReducerRow>("train.reduction", {{"canonical", "", nullptr, make_wrong}});
  run_ranks(2, [&](Communicator& communicator) {
    AllreduceTrial trial(communicator, plugins, 4000);
    try {
      trial.verify();
      ADD_FAILURE() << "a wrong sum passed";
    } catch (const AgreedError& error) {
      EXPECT_EQ(error.code(), ExitCode::kDisagree);
      EXPECT_NE(std::string(error.what()).find("at 999"), std::string::npos) << error.what();
    }
  });
}

}  // namespace
}  // namespace lockstep
