// SPDX-License-Identifier: Apache-2.0
#include "cli/eval_command.h"

#include <fmt/format.h>

#include "cli/local_launch.h"
#include "cli/ranks.h"
#include "core/json.h"
#include "core/printable.h"
#include "lockstep/core/error.h"
#include "train/evaluate_source.h"
#include "train/evaluator.h"
#include "train/load_model.h"
#include "train/stop_rules.h"

namespace lockstep {

namespace {

void print_text(const SourceMetrics& metrics, const MetricValues& values) {
  fmt::print("{:<16} {}\n", "rows", metrics.rows);
  if (metrics.skipped.count() > 0) fmt::print("{:<16} {}\n", "skipped_rows", metrics.skipped.count());
  for (const auto& [name, value] : values) fmt::print("{:<16} {:.6g}\n", name, value);
}

void print_json(const std::string& source, const SourceMetrics& metrics, const MetricValues& values) {
  const ConfusionMatrix confusion = confusion_of(metrics.sums);
  Json json{{"data", source}, {"rows", metrics.rows}, {"skipped_rows", metrics.skipped.count()}};
  for (const auto& [name, value] : values) json[name] = value;
  if (!confusion.empty()) json["confusion"] = confusion;
  fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
}

void print_warnings(const SourceMetrics& metrics, const MetricValues& values) {
  if (metrics.skipped.count() > 0) fmt::print(stderr, "{}\n", printable(skipped_sentence(metrics.skipped)));
  const auto error = values.find("auc_error");
  if (error != values.end())
    fmt::print(
        stderr,
        "auc is that of scores in 2^20 bins, as there are more than {} rows; it is within {:.2g} of the "
        "exact one\n",
        Ranking::kMostExact, error->second);
}

int evaluate(const CommandContext& context) {
  const CommandLine& line = context.line;
  if (!line.has("data"))
    throw Error(ExitCode::kUsage, "`lockstep eval` needs --data FILE; see `lockstep eval --help`");
  LoadedModel loaded = load_model(line.positional()[0], context.table, line.config(), context.plugins);
  if (const auto code = launch_ranks(context)) return *code;
  return run_as_rank(loaded.options.real("comm.timeout_s"), [&](Communicator& communicator) {
    const std::string source = line.text("data");
    SourceMetrics metrics = evaluate_source(communicator, loaded, source, context.plugins);
    if (communicator.rank() != 0) return 0;
    const MetricValues values = metrics.sums.values();
    print_warnings(metrics, values);
    line.has("json") ? print_json(source, metrics, values) : print_text(metrics, values);
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
