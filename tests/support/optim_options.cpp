// SPDX-License-Identifier: Apache-2.0
#include "support/optim_options.h"

#include <sstream>

#include "optim/rate.h"
#include "optim/registry.h"
#include "optim/regularization.h"

namespace lockstep::testing {
namespace {

OptionValue parse(const OptionValue& like, const std::string& text) {
  if (std::holds_alternative<bool>(like)) return text == "true";
  if (std::holds_alternative<std::int64_t>(like)) return static_cast<std::int64_t>(std::stoll(text));
  if (std::holds_alternative<double>(like)) return std::stod(text);
  if (std::holds_alternative<std::string>(like)) return text;
  std::vector<std::string> items;
  std::istringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) items.push_back(item);
  return items;
}

}  // namespace

Options optim_options(const OptionTexts& texts) {
  OptionTable table;
  table.text("optim.name", "sgd", "");
  table.text("optim.schedule", "constant", "");
  declare_rate_options(table);
  declare_regularization_options(table);
  optimizer_registry().declare(table);
  schedule_registry().declare(table);
  Options options(table);
  for (const auto& [key, text] : texts) options.set(key, parse(options.value(key), text), "test");
  return options;
}

std::unique_ptr<Optimizer> make_optimizer(const std::string& name, const OptionTexts& texts) {
  return optimizer_registry().find(name).create(optim_options(texts));
}

std::unique_ptr<Schedule> make_schedule(const std::string& name, const OptionTexts& texts,
                                        const RunLength& run) {
  return schedule_registry().find(name).create(optim_options(texts), run);
}

}  // namespace lockstep::testing
