// SPDX-License-Identifier: Apache-2.0
// What a step on sparse rows costs: 40 entries a row in uniformly random columns of 2^18, 2^20 and 2^24,
// logistic regression, batches of 1,000. Verified before it is timed: the model is that of dense steps, on as
// many ranks as there are. Interleaved, medians. Alone it is one rank; under mpirun, as many as started.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/floating_point.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/run.h"
#include "report/statistics.h"
#include "support/experiment.h"
#include "train/options.h"
#include "train/trainer.h"

namespace lockstep {
namespace {

constexpr int kRounds = 5;
constexpr int kEntries = 40;
constexpr int kBatch = 1000;

/// One experiment, as `train` runs it.
class Run {
 public:
  Run(Communicator& communicator, const std::vector<std::string>& settings)
      : communicator_(communicator), options_(testing::options_of(settings)) {
    LoadPlan plan;
    plan.task = make_loss(options_, plugins_)->task();
    plan.shards = shard_count(options_);
    plan.hosted = hosted_shards(communicator.rank(), communicator.size(), plan.shards);
    data_.emplace(load_datasets(options_, plugins_.formats, plan));
    model_.emplace(make_model(options_, plugins_, schema_of(data_->train)));
  }
  TrainOutcome train() {
    std::fill(model_->weights.begin(), model_->weights.end(), 0.0F);
    trainer_.emplace(options_, plugins_, communicator_, *data_, *model_);
    return trainer_->run();
  }
  const StepTimes& step_times() const { return trainer_->step_times(); }

 private:
  Communicator& communicator_;
  Options options_;
  Plugins plugins_ = builtin_plugins();
  std::optional<DataSets> data_;
  std::optional<TrainedModel> model_;
  std::optional<Trainer> trainer_;
};

std::vector<std::string> settings_for(int bits, const std::vector<std::string>& more) {
  std::vector<std::string> settings = {
      "data.train=demo:sparse?rows=200000&power=1&nonzeros=" + std::to_string(kEntries) +
          "&features=" + std::to_string(1 << bits),
      "model.name=logistic",
      "train.batch=" + std::to_string(kBatch),
      "train.steps=300",
      "eval.train=never",
      "eval.every=never",
      "log.hash_every=1000000"};
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

bool verify(Communicator& communicator) {
  std::vector<std::string> hashes;
  for (const std::string sparse : {"off", "on"})
    hashes.push_back(Run(communicator,
                         {"data.train=demo:sparse?rows=3000&features=20000&nonzeros=9", "model.name=logistic",
                          "train.batch=200", "train.epochs=2", "comm.sparse=" + sparse})
                         .train()
                         .hash);
  return hashes[0] == hashes[1];
}

void bench(Communicator& communicator, const std::string& name, const std::vector<std::string>& more) {
  const std::vector<int> bits = {18, 20, 24};
  std::vector<std::unique_ptr<Run>> runs;
  for (const int b : bits) runs.push_back(std::make_unique<Run>(communicator, settings_for(b, more)));
  std::vector<std::vector<double>> ms(bits.size());
  TimeShares shares;
  for (int round = 0; round < kRounds; ++round)
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const TrainOutcome outcome = runs[i]->train();
      ms[i].push_back(runs[i]->step_times().percentile_ms(0.5));
      if (bits[i] == 20) shares = outcome.last.shares;
    }
  if (communicator.rank() != 0) return;
  std::printf("%s, %d rank%s\n", name.c_str(), communicator.size(), communicator.size() == 1 ? "" : "s");
  for (std::size_t i = 0; i < bits.size(); ++i)
    std::printf("  2^%d features  %8.3f ms a step  %8.1f million entries/s\n", bits[i], median(ms[i]),
                kEntries * kBatch / median(ms[i]) / 1e3);
  std::printf("  step at 2^24 / step at 2^18  %5.2f\n", median(ms[2]) / median(ms[0]));
  std::printf("  of 300 steps at 2^20: data %.0f, compute %.0f, exchange and wait %.0f, update %.0f ms\n",
              shares.data * 1e3, shares.compute * 1e3, (shares.exchange + shares.wait) * 1e3,
              shares.update * 1e3);
}

// `only`: the name of one optimizer; empty: all.
int run_all(Communicator& communicator, const std::string& only) {
  set_floating_point_mode();
  if (!verify(communicator)) {
    std::fprintf(stderr, "sparse steps train another model than dense ones; nothing was timed\n");
    return 1;
  }
  if (only.empty() || only == "sgd") bench(communicator, "sgd", {});
  if (only.empty() || only == "ftrl") bench(communicator, "ftrl", {"optim.name=ftrl"});
  if (only.empty() || only == "penalties")
    bench(communicator, "sgd with l1 and l2", {"optim.l1=1e-6", "optim.l2=1e-5"});
  return 0;
}

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) {
  using namespace lockstep;
  std::optional<MpiSession> session;
  if (launched_by_mpi()) session.emplace();
  const auto communicator = session ? make_communicator(60) : make_single_communicator();
  return run_all(*communicator, argc > 1 ? argv[1] : "");
}
