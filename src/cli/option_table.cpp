// SPDX-License-Identifier: Apache-2.0
#include "cli/option_table.h"

#include "cli/launch_options.h"
#include "cli/study_options.h"
#include "data/load.h"
#include "optim/rate.h"
#include "optim/regularization.h"
#include "train/options.h"

namespace lockstep {

namespace {

/// The key that chooses a plug-in, unless its room declares it. Rows of outside programs are among the
/// choices.
template <class Row>
void declare_selector(const Registry<Row>& registry, const std::string& key, const std::string& fallback,
                      std::string help, OptionTable* table) {
  if (table->find(key) != nullptr) return;
  for (const Row& row : registry.rows()) help += "\n" + row.name + ": " + row.summary;
  std::vector<std::string> choices = registry.names();
  if (fallback == "auto") choices.push_back(fallback);
  table->text(key, fallback, help).one_of(choices);
}

void declare_selectors(const Plugins& plugins, OptionTable* table) {
  declare_selector(plugins.formats, "data.format", "auto", "Format of all data files; auto: by content",
                   table);
  declare_selector(plugins.models, "model.name", "", "The model; has to be chosen", table);
  declare_selector(plugins.losses, "model.loss", "auto", "The loss; auto: the first that goes with the model",
                   table);
  declare_selector(plugins.optimizers, "optim.name", "sgd", "The optimizer", table);
  declare_selector(plugins.schedules, "optim.schedule", "constant", "The rate as a function of progress",
                   table);
  declare_selector(plugins.reducers, "train.reduction", "canonical", "How gradients are added up", table);
}

}  // namespace

OptionTable all_options(const Plugins& plugins) {
  OptionTable table;
  declare_train_options(table);
  declare_data_options(table);
  declare_selectors(plugins, &table);
  table.text("model.init", "",
             "warm start: a run directory or model file whose weights training begins with");
  declare_rate_options(table);
  declare_regularization_options(table);
  plugins.formats.declare(table);
  plugins.models.declare(table);
  plugins.losses.declare(table);
  plugins.optimizers.declare(table);
  plugins.schedules.declare(table);
  plugins.reducers.declare(table);
  declare_study_options(table);
  declare_launch_options(table);
  return table;
}

}  // namespace lockstep
