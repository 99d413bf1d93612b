// SPDX-License-Identifier: Apache-2.0
#include "fuzz/row_input.h"

#include "core/config.h"
#include "data/load.h"
#include "data/registry.h"

namespace lockstep::testing {

namespace {

const OptionTable& data_options() {
  static const OptionTable table = [] {
    OptionTable made;
    declare_data_options(made);
    return made;
  }();
  return table;
}

}  // namespace

const Options& RowInput::options(unsigned char choice) {
  std::optional<Options>& made = options_[choice];
  if (made) return *made;
  ConfigRequest request{{}, false, {"data.train=" + path(), "data.cache=off"}};
  for (const auto& [key, value] : settings_of_(choice)) request.sets.push_back(key + "=" + value);
  return made.emplace(resolve_config(data_options(), request));
}

bool RowInput::accepts(std::string_view content, unsigned char choice, bool is_regression) {
  static const Registry<FormatRow> formats = format_registry();
  file_.write(content);
  return is_accepted([&] {
    LoadPlan plan;
    plan.task = is_regression ? Task::kRegression : Task::kClassification;
    plan.shards = 3;
    plan.hosted = {0, 3};
    load_datasets(options(choice), formats, plan);
  });
}

}  // namespace lockstep::testing
