// SPDX-License-Identifier: Apache-2.0
// A linear model on narrow rows, where a step is hardly more than reading its rows: logistic regression,
// 5,000,000 rows of 28 numbers in batches of 1,000, one rank, one epoch. Rows in file order against rows
// shuffled, interleaved, medians; before that both must have learnt.
#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "lockstep/run.h"
#include "report/statistics.h"
#include "support/experiment.h"
#include "train/options.h"
#include "train/trainer.h"

namespace lockstep {
namespace {

constexpr int kRounds = 7;

struct Timing {
  std::vector<double> rate, data, compute, update;

  void add(const TrainOutcome& outcome) {
    const double steps = static_cast<double>(outcome.last.step);
    rate.push_back(static_cast<double>(outcome.last.rows) / outcome.last.train_s);
    data.push_back(outcome.last.shares.data / steps * 1e6);
    compute.push_back(outcome.last.shares.compute / steps * 1e6);
    update.push_back(outcome.last.shares.update / steps * 1e6);
  }
  void print(const char* name) const {
    std::printf("%-10s %8.2f million rows/s   data %6.2f  compute %6.2f  update %6.2f µs a step\n", name,
                median(rate) / 1e6, median(data), median(compute), median(update));
  }
};

int bench() {
  const std::vector<std::string> settings = {"data.train=demo:logistic?rows=5000000&features=28&noise=0.1",
                                             "model.name=logistic",
                                             "optim.learning_rate=0.5",
                                             "optim.schedule=inverse_sqrt",
                                             "train.batch=1000",
                                             "train.epochs=1",
                                             "eval.train=never"};
  auto shuffled_settings = settings, ordered_settings = settings;
  ordered_settings.push_back("train.shuffle=false");
  const Options ordered = testing::options_of(ordered_settings),
                shuffled = testing::options_of(shuffled_settings);
  const Plugins plugins = builtin_plugins();
  const auto communicator = make_single_communicator();
  LoadPlan plan;
  plan.task = make_loss(ordered, plugins)->task();
  plan.shards = shard_count(ordered);
  plan.hosted = {0, plan.shards};
  const DataSets data = load_datasets(ordered, plugins.formats, plan);
  Timing in_order, in_disorder;
  std::vector<double> ratio;
  for (int round = 0; round < kRounds; ++round) {
    for (const auto& [options, timing] :
         {std::pair{&ordered, &in_order}, std::pair{&shuffled, &in_disorder}}) {
      TrainedModel model = make_model(*options, plugins, schema_of(data.train));
      Trainer trainer(*options, plugins, *communicator, data, model);
      const TrainOutcome outcome = trainer.run();
      if (outcome.last.loss > 0.5) {
        std::fprintf(stderr, "the model does not learn (loss %.3f); nothing was timed\n", outcome.last.loss);
        return 1;
      }
      timing->add(outcome);
    }
    ratio.push_back(in_disorder.rate.back() / in_order.rate.back());
  }
  in_order.print("file order");
  in_disorder.print("shuffled");
  std::printf("shuffled / file order %.2f\n", median(ratio));
  return 0;
}

}  // namespace
}  // namespace lockstep

int main() {
  return lockstep::bench();
}
