// SPDX-License-Identifier: Apache-2.0
#include "cli/step_trial.h"

#include <fmt/format.h>

#include <algorithm>

#include "comm/agreement.h"
#include "core/floating_point.h"
#include "train/check_values.h"
#include "train/options.h"
#include "train/training_run.h"

namespace lockstep {

namespace {

// What is not part of a step, and what would end a run before its time.
Options only_steps(Options options) {
  for (const char* key : {"eval.every", "eval.train", "checkpoint.every"})
    options.set(key, std::string("never"), "bench");
  for (const char* key : {"train.target", "data.valid", "data.test"})
    options.set(key, std::string(), "bench");
  options.set("train.patience", std::int64_t{0}, "bench");
  options.set("train.tolerance", 0.0, "bench");
  return options;
}

TimeShares per_step_ms(const TimeShares& total, Index steps) {
  const double factor = 1e3 / static_cast<double>(steps);
  return {total.data * factor, total.compute * factor, total.exchange * factor, total.wait * factor,
          total.update * factor};
}

}  // namespace

StepTrial::StepTrial(const Options& options, const Plugins& plugins, Communicator& communicator)
    : options_(only_steps(options)), plugins_(plugins), communicator_(communicator) {
  set_floating_point_mode();
  require_same_configuration(communicator, options_);
  load();
  on_all_ranks(communicator, [&] {
    model_.emplace(make_model(options_, plugins, schema_of(data_->train)));
    initial_weights_ = model_->weights;
    states_ = static_cast<Index>(
        plugins.optimizers.find(options_.text("optim.name")).create(options_)->state_names().size());
  });
  train(kFirstSteps);
  first_hash_ = model_->parameters_hash();
}

void StepTrial::load() {
  std::unique_ptr<Loss> loss;
  on_all_ranks(communicator_, [&] {
    check_values(options_, plugins_);
    loss = make_loss(options_, plugins_);
  });
  data_.reset();  // not both at a time
  data_.emplace(load_all(options_, plugins_, communicator_, *loss));
}

void StepTrial::use_batch(const std::string& batch, double step_s) {
  options_.set("train.batch", batch, "bench");
  if (shard_count(options_) != data_->train.shards()) load();
  step_s_ = step_s;
  if (step_s_ > 0) return;
  train(kFirstSteps);
  first_hash_ = model_->parameters_hash();
}

// The number of steps is rank 0's, for all must make as many.
StepMeasure StepTrial::measure(double seconds, Index fewest) {
  double steps = std::clamp(seconds / step_s_, static_cast<double>(fewest), 1e7);
  broadcast(communicator_, &steps, sizeof steps);
  constexpr double kPatience = 5;  // on a busy machine steps may take far longer than the first ones
  return train(static_cast<Index>(steps), kPatience * seconds);
}

StepMeasure StepTrial::train(Index steps, double most_s) {
  options_.set("train.steps", std::int64_t{steps}, "bench");
  options_.set("train.budget", most_s > 0 ? fmt::format("{:.6f}s", most_s) : "never", "bench");
  model_->weights = initial_weights_;
  std::optional<Trainer> trainer;
  on_all_ranks(communicator_, [&] { trainer.emplace(options_, plugins_, communicator_, *data_, *model_); });
  const StepReport last = trainer->run().last;
  const StepTimes& times = trainer->step_times();
  step_s_ = times.percentile_ms(0.5) / 1e3;
  return {last.step,
          trainer->batch(),
          data_->train.shards(),
          static_cast<double>(last.rows) / last.train_s,
          times.mean_ms(),
          times.percentile_ms(0.5),
          times.percentile_ms(0.95),
          times.percentile_ms(0.99),
          per_step_ms(last.shares, last.step)};
}

}  // namespace lockstep
