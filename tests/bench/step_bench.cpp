// SPDX-License-Identifier: Apache-2.0
// What a training step costs against its limits, in one run: verified before it is timed, interleaved,
// medians.
//   mlp 784-256-128-10, batches 1,000 and 64, one rank: the time of its matrix products, each over all rows
//   in one call of the faster of Eigen and our own kernels, against the time of the step; and the default
//   shards against one
//   flagship logistic, one epoch in file order: rows a second
//   what it costs to measure the gradient noise, to look for silent trouble, and to be watched
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cli/product_limit.h"
#include "core/clock.h"
#include "lockstep/run.h"
#include "report/statistics.h"
#include "support/experiment.h"
#include "support/temporary_folder.h"
#include "train/options.h"
#include "train/trainer.h"
#include "train/watchdog.h"

namespace lockstep {
namespace {

constexpr int kRounds = 7;

/// One experiment on one rank, as `train` runs it.
struct Run {
  explicit Run(const std::vector<std::string>& settings) : options(testing::options_of(settings)) {
    communicator = make_single_communicator();
    LoadPlan plan;
    plan.task = make_loss(options, plugins)->task();
    plan.shards = shard_count(options);
    plan.hosted = {0, plan.shards};
    data.emplace(load_datasets(options, plugins.formats, plan));
    model.emplace(make_model(options, plugins, schema_of(data->train)));
    restart();
  }
  void restart() { trainer.emplace(options, plugins, *communicator, *data, *model); }

  Options options;
  Plugins plugins = builtin_plugins();
  std::unique_ptr<Communicator> communicator;
  std::optional<DataSets> data;
  std::optional<TrainedModel> model;
  std::optional<Trainer> trainer;
};

void bench_mlp(Index batch) {
  const std::vector<std::string> settings = {"data.train=demo:blobs?rows=10000&features=784&classes=10",
                                             "model.name=mlp",
                                             "model.hidden=256,128",
                                             "train.batch=" + std::to_string(batch),
                                             "train.steps=40",
                                             "eval.train=never",
                                             "data.scale=0.1",
                                             "optim.learning_rate=0.01"};
  auto one = settings;
  one.push_back("train.shards=1");
  Run by_default(settings), by_one(one);
  const ProductLimit products(by_default.model->model->layout(), batch);
  std::vector<double> default_ms, one_ms, gemm_ms, share, ratio;
  for (int round = 0; round < kRounds; ++round) {
    by_default.restart();
    by_one.restart();
    by_default.trainer->run();
    default_ms.push_back(by_default.trainer->step_times().percentile_ms(0.5));
    gemm_ms.push_back(products.seconds() * 1e3);
    by_one.trainer->run();
    one_ms.push_back(by_one.trainer->step_times().percentile_ms(0.5));
    share.push_back(gemm_ms.back() / default_ms.back());
    ratio.push_back(default_ms.back() / one_ms.back());
  }
  std::printf("mlp 784-256-128-10, batch %ld, one rank, %d shards\n", static_cast<long>(batch),
              by_default.data->train.shards());
  std::printf("  step                        %8.3f ms\n  its products in one call    %8.3f ms\n",
              median(default_ms), median(gemm_ms));
  std::printf("  products / step             %8.3f\n  step / step with one shard  %8.3f\n", median(share),
              median(ratio));
}

void bench_flagship() {
  Run run({"data.train=demo:logistic?rows=5000000&features=28&noise=0.1", "model.name=logistic",
           "optim.learning_rate=0.5", "optim.schedule=inverse_sqrt", "train.batch=1000", "train.epochs=1",
           "train.shuffle=false", "eval.train=never"});
  std::vector<double> rates;
  for (int round = 0; round < kRounds; ++round) {
    run.restart();
    const TrainOutcome outcome = run.trainer->run();
    rates.push_back(static_cast<double>(outcome.last.rows) / outcome.last.train_s);
  }
  std::printf(
      "flagship logistic 5,000,000 × 28, batch 1,000, one rank\n  rows a second               %8.2f "
      "million\n",
      median(rates) / 1e6);
}

// What a step costs in which the gradient noise is measured, against one in which it is not: at the default
// one of a hundred is.
void bench_noise(const char* name, const std::vector<std::string>& settings) {
  auto always = settings, never = settings;
  always.push_back("train.noise_every=1");
  never.push_back("train.noise_every=0");
  Run measured(always), plain(never);
  std::vector<double> measured_ms, plain_ms, share;
  for (int round = 0; round < kRounds; ++round) {
    plain.restart();
    measured.restart();
    plain.trainer->run();
    measured.trainer->run();
    plain_ms.push_back(plain.trainer->step_times().percentile_ms(0.5));
    measured_ms.push_back(measured.trainer->step_times().percentile_ms(0.5));
    share.push_back(measured_ms.back() / plain_ms.back() - 1);
  }
  std::printf("gradient noise, %s, %d shards, one rank\n", name, plain.data->train.shards());
  std::printf("  step, not measured          %8.4f ms\n  step, measured              %8.4f ms\n",
              median(plain_ms), median(measured_ms));
  std::printf("  cost of every 100th         %8.3f %%\n", median(share));
}

void bench_noises() {
  const std::vector<std::string> mlp = {"data.train=demo:blobs?rows=10000&features=784&classes=10",
                                        "model.name=mlp",
                                        "model.hidden=256,128",
                                        "train.steps=40",
                                        "eval.train=never",
                                        "data.scale=0.1",
                                        "optim.learning_rate=0.01"};
  const std::vector<std::string> logistic = {"data.train=demo:logistic?rows=1000000&features=28&noise=0.1",
                                             "model.name=logistic", "train.shuffle=false", "train.epochs=1",
                                             "eval.train=never"};
  const auto with = [](std::vector<std::string> settings, const std::vector<std::string>& more) {
    settings.insert(settings.end(), more.begin(), more.end());
    return settings;
  };
  bench_noise("mlp 784-256-128-10, batch 1,000", with(mlp, {"train.batch=1000"}));
  bench_noise("mlp 784-256-128-10, batch 64", with(mlp, {"train.batch=64"}));
  bench_noise("mlp 784-256-128-10, batch 64, pairs", with(mlp, {"train.batch=64", "train.shards=1"}));
  bench_noise("flagship logistic, batch 1,000", with(logistic, {"train.batch=1000"}));
  bench_noise("flagship logistic, batch 1, pairs", with(logistic, {"train.batch=1", "train.steps=20000"}));
}

// What a step costs that is audited, against one that is not, on one rank, which computes the shard itself:
// with train.audit = 100 one of a hundred is. And what keeping a state for rewinds costs in every step.
void bench_trouble(const char* name, const std::vector<std::string>& settings) {
  auto audited = settings, kept = settings;
  audited.push_back("train.audit=1");
  kept.insert(kept.end(), {"train.on_spike=rewind", "train.rewind_steps=1"});
  Run plain(settings), with_audit(audited), with_states(kept);
  std::vector<double> plain_ms, audit_ms, states_ms;
  for (int round = 0; round < kRounds; ++round) {
    for (Run* run : {&plain, &with_audit, &with_states}) run->restart();
    plain.trainer->run();
    with_audit.trainer->run();
    const double start = now_seconds();
    with_states.trainer->run();
    const double seconds = now_seconds() - start;
    plain_ms.push_back(plain.trainer->step_times().percentile_ms(0.5));
    audit_ms.push_back(with_audit.trainer->step_times().percentile_ms(0.5));
    const auto steps = static_cast<double>(with_states.trainer->step());
    states_ms.push_back((seconds - with_states.trainer->seconds_this_session()) * 1e3 / steps);
  }
  std::printf("silent trouble, %s, %d shards, one rank\n", name, plain.data->train.shards());
  std::printf("  step                        %8.4f ms\n  step, audited               %8.4f ms\n",
              median(plain_ms), median(audit_ms));
  std::printf("  cost of every 100th         %8.3f %%\n  a state for rewinds         %8.4f ms\n",
              median(audit_ms) / median(plain_ms) - 1, median(states_ms));
}

void bench_troubles() {
  const std::vector<std::string> network = {"data.train=demo:blobs?rows=10000&features=784&classes=10",
                                            "model.name=mlp",
                                            "model.hidden=256,128",
                                            "optim.name=adam",
                                            "train.steps=40",
                                            "train.noise_every=0",
                                            "eval.train=never",
                                            "data.scale=0.1",
                                            "train.batch=1000"};
  bench_trouble("mlp 784-256-128-10, adam, batch 1,000", network);
  bench_trouble("flagship logistic, batch 1,000",
                {"data.train=demo:logistic?rows=1000000&features=28&noise=0.1", "model.name=logistic",
                 "train.shuffle=false", "train.epochs=1", "train.noise_every=0", "eval.train=never",
                 "train.batch=1000"});
}

double processor_seconds() {
  timespec used = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

// While this thread sleeps the watchdog is all that works, progress.json included.
void bench_watchdog() {
  const std::vector<std::string> settings = {"data.train=demo:logistic?rows=1000000&features=28&noise=0.1",
                                             "model.name=logistic",
                                             "train.shuffle=false",
                                             "train.epochs=1",
                                             "train.noise_every=0",
                                             "eval.train=never",
                                             "train.batch=1000"};
  const testing::TemporaryFolder folder;
  Run plain(settings);
  std::vector<double> plain_ms, watched_ms, share;
  for (int round = 0; round < kRounds; ++round) {
    plain.restart();
    plain.trainer->run();
    plain_ms.push_back(plain.trainer->step_times().percentile_ms(0.5));
    Watchdog watchdog(stall_rules(plain.options), process_actions(false));
    Run watched(settings);
    watchdog.start(*watched.communicator);
    watchdog.write_to(*watched.communicator, folder.path());
    watched.trainer->run();
    watched_ms.push_back(watched.trainer->step_times().percentile_ms(0.5));
    const double start_s = now_seconds(), before_s = processor_seconds();
    std::this_thread::sleep_for(std::chrono::seconds(3));
    share.push_back((processor_seconds() - before_s) / (now_seconds() - start_s));
  }
  std::printf("watchdog, flagship logistic, batch 1,000, one rank\n");
  std::printf("  step                        %8.4f ms\n  step, watched               %8.4f ms\n",
              median(plain_ms), median(watched_ms));
  std::printf("  the watchdog's share of a core %5.3f %%\n", median(share) * 100);
}

// Sixteen shards on one rank must train what a thread of one rank with the serial path trains: the loss
// falls.
bool verify() {
  Run run({"data.train=demo:blobs?rows=2000&features=784&classes=10&noise=0", "model.name=mlp",
           "model.hidden=256,128", "train.batch=50", "train.epochs=5", "optim.learning_rate=0.1",
           "data.scale=0.1"});
  const TrainOutcome outcome = run.trainer->run();
  return outcome.metrics.at("train.accuracy") > 0.95;
}

}  // namespace
}  // namespace lockstep

// Runs what it is told (mlp1000, mlp64, flagship, noise, trouble, watchdog), or everything.
int main(int count, char** arguments) {
  if (!lockstep::verify()) {
    std::fprintf(stderr, "the network does not learn; nothing was timed\n");
    return 1;
  }
  const std::vector<std::string> wanted(arguments + 1, arguments + count);
  const auto is_wanted = [&](const char* name) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
  };
  if (is_wanted("mlp1000")) lockstep::bench_mlp(1000);
  if (is_wanted("mlp64")) lockstep::bench_mlp(64);
  if (is_wanted("flagship")) lockstep::bench_flagship();
  if (is_wanted("noise")) lockstep::bench_noises();
  if (is_wanted("trouble")) lockstep::bench_troubles();
  if (is_wanted("watchdog")) lockstep::bench_watchdog();
  return 0;
}
