// SPDX-License-Identifier: Apache-2.0
#include "cli/option_table.h"

#include "data/load.h"
#include "optim/rate.h"
#include "optim/regularization.h"
#include "train/options.h"

namespace lockstep {

OptionTable all_options(const Plugins& plugins) {
  OptionTable table;
  declare_train_options(table);
  declare_data_options(table);
  table.text("model.name", "logistic", "kind of model").one_of(plugins.models.names());
  auto losses = plugins.losses.names();
  losses.insert(losses.begin(), "auto");
  table.text("model.loss", "auto", "loss; auto: the first one the model names").one_of(losses);
  table.text("model.init", "", "warm start: a run directory or model file whose weights training begins with");
  table.text("optim.name", "sgd", "update rule").one_of(plugins.optimizers.names());
  table.text("optim.schedule", "constant", "course of the rate").one_of(plugins.schedules.names());
  declare_rate_options(table);
  declare_regularization_options(table);
  table.text("train.reduction", "canonical", "how gradients are summed over ranks").one_of(plugins.reducers.names());
  plugins.formats.declare(table);
  plugins.models.declare(table);
  plugins.losses.declare(table);
  plugins.optimizers.declare(table);
  plugins.schedules.declare(table);
  plugins.reducers.declare(table);
  return table;
}

}  // namespace lockstep
