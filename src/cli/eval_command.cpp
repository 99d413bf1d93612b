// SPDX-License-Identifier: Apache-2.0
#include "cli/eval_command.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/local_launch.h"
#include "cli/ranks.h"
#include "core/printable.h"
#include "lockstep/core/error.h"
#include "train/evaluator.h"
#include "train/load_model.h"
#include "train/stop_rules.h"

namespace lockstep {

namespace {

void print_text(const Dataset& rows, const MetricValues& values) {
  fmt::print("{:<16} {}\n", "rows", rows.info().rows);
  for (const auto& [name, value] : values) fmt::print("{:<16} {:.6g}\n", name, value);
}

void print_json(const Dataset& rows, const MetricValues& values, const ConfusionMatrix& confusion) {
  nlohmann::ordered_json json{{"data", rows.info().source}, {"rows", rows.info().rows}};
  for (const auto& [name, value] : values) json[name] = value;
  if (!confusion.empty()) json["confusion"] = confusion;
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

int evaluate(const CommandContext& context) {
  const CommandLine& line = context.line;
  if (!line.has("data"))
    throw Error(ExitCode::kUsage, "`lockstep eval` needs --data FILE; see `lockstep eval --help`");
  LoadedModel loaded = load_model(line.positional()[0], context.table, line.config(), context.plugins);
  if (const auto code = launch_ranks(context)) return *code;
  return run_as_rank(loaded.options.real("comm.timeout_s"), [&](Communicator& communicator) {
    const Dataset rows = load_rows_for(loaded, line.text("data"), true, context.plugins, communicator);
    const auto top_k = static_cast<int>(loaded.options.integer("eval.top_k"));
    MetricSums sums = evaluate_sums(communicator, loaded.model, loaded.model.weights.data(), rows, top_k);
    const MetricValues values = sums.values();
    if (communicator.rank() != 0) return 0;
    for (const std::string& warning : rows.info().warnings) fmt::print(stderr, "{}\n", printable(warning));
    line.has("json") ? print_json(rows, values, confusion_of(sums)) : print_text(rows, values);
    return 0;
  });
}

}  // namespace

void add_eval_commands(std::vector<Command>* rows) {
  rows->push_back({{"eval",
                    "RUN|FILE",
                    1,
                    1,
                    true,
                    {{"data", "FILE", "rows with labels, read as the training data was"},
                     {"json", "", "prints a JSON object"},
                     ranks_flag()}},
                   "Prints the metrics of a model on a file.",
                   evaluate});
}

}  // namespace lockstep
