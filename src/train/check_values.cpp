// SPDX-License-Identifier: Apache-2.0
#include "train/check_values.h"

#include <limits>

#include "optim/rate.h"
#include "optim/regularization.h"
#include "train/batch_policy.h"
#include "train/cadence.h"
#include "train/experiment.h"
#include "train/options.h"
#include "train/step_trace.h"
#include "train/stop_rules.h"
#include "train/weight_average.h"

namespace lockstep {

void check_values(const Options& options, const Plugins& plugins) {
  constexpr RunLength kAnyLength = {1'000'000, 1'000};
  if (!options.text("model.name").empty()) make_loss(options, plugins);
  const Index batch = batch_size(options, std::numeric_limits<Index>::max());
  const BatchPolicy batches(options, std::numeric_limits<Index>::max());
  const auto optimizer = plugins.optimizers.find(options.text("optim.name")).create(options);
  read_regularization(options, *optimizer);
  const Rate rate(options, plugins.schedules, kAnyLength, batch);
  const Target target(options);
  const BestWatch watch(options);
  const StepTrace trace(options.text("log.trace"), options.origin("log.trace"));
  const WeightAverage average(options, kAnyLength.steps_per_epoch, {});
  const Cadence evaluations("eval.every", options.text("eval.every"), kAnyLength.steps_per_epoch,
                            Cadence::Clock::kRefused);
  const Cadence checkpoints("checkpoint.every", options.text("checkpoint.every"), kAnyLength.steps_per_epoch,
                            Cadence::Clock::kAllowed);
  const Cadence budget("train.budget", options.text("train.budget"), kAnyLength.steps_per_epoch,
                       Cadence::Clock::kAllowed);
}

}  // namespace lockstep
