// SPDX-License-Identifier: Apache-2.0
#include "cli/predict_command.h"

#include <cstdio>
#include <filesystem>
#include <optional>

#include "cli/local_launch.h"
#include "cli/output_file.h"
#include "cli/ranks.h"
#include "comm/agreement.h"
#include "core/atomic_file.h"
#include "data/source_files.h"
#include "lockstep/core/error.h"
#include "train/load_model.h"
#include "train/predictions.h"

namespace lockstep {

namespace {

std::vector<std::string> inputs_of(const CommandLine& line) {
  std::vector<std::string> inputs = source_files(line.text("data"));
  const std::filesystem::path run_or_file = line.positional()[0];
  inputs.push_back(run_or_file);
  inputs.push_back(run_or_file / "model.safetensors");
  return inputs;
}

int predict(const CommandContext& context) {
  const CommandLine& line = context.line;
  for (const char* flag : {"data", "out"})
    if (!line.has(flag))
      throw Error(ExitCode::kUsage,
                  "`lockstep predict` needs --data FILE and --out FILE; see `lockstep predict --help`");
  const std::string out = line.text("out");
  const auto format = make_prediction_format(line.text("format"), out);
  LoadedModel loaded = load_model(line.positional()[0], context.table, line.config(), context.plugins);
  if (const auto code = launch_ranks(context)) return *code;
  return run_as_rank(loaded.options.real("comm.timeout_s"), [&](Communicator& communicator) {
    std::optional<AtomicFile> file;
    on_all_ranks(communicator, [&] {
      if (out != "-") refuse_own_input(out, inputs_of(line));
      if (communicator.rank() == 0 && out != "-") file.emplace(out);
    });
    const Index rows = write_predictions(
        communicator, loaded, line.text("data"), context.plugins, *format, [&](const std::string& text) {
          file ? file->write(text) : static_cast<void>(std::fwrite(text.data(), 1, text.size(), stdout));
        });
    if (file && format->counts_rows()) file->rewrite_start(format->head(loaded.model, rows));
    if (file) file->commit();
    return 0;
  });
}

}  // namespace

void add_predict_commands(std::vector<Command>* rows) {
  rows->push_back(
      {{"predict",
        "RUN|FILE",
        1,
        1,
        true,
        {{"data", "FILE", "rows, with or without labels; a pattern or a list of files too"},
         {"out", "FILE", "a line or an array row for each row, in their order; - is stdout"},
         {"format", "FORMAT", "csv, jsonl (an object a line) or npy; default: by the ending of --out"},
         ranks_flag()}},
       "Writes what a model says of every row of a file.",
       predict});
}

}  // namespace lockstep
