// SPDX-License-Identifier: Apache-2.0
#include "cli/predict_command.h"

#include <cstdio>
#include <optional>

#include "cli/local_launch.h"
#include "cli/ranks.h"
#include "comm/agreement.h"
#include "core/atomic_file.h"
#include "lockstep/core/error.h"
#include "train/load_model.h"
#include "train/predictions.h"

namespace lockstep {

namespace {

int predict(const CommandContext& context) {
  const CommandLine& line = context.line;
  for (const char* flag : {"data", "out"})
    if (!line.has(flag))
      throw Error(ExitCode::kUsage,
                  "`lockstep predict` needs --data FILE and --out FILE; see `lockstep predict --help`");
  LoadedModel loaded = load_model(line.positional()[0], context.table, line.config(), context.plugins);
  if (const auto code = launch_ranks(context)) return *code;
  return run_as_rank(loaded.options.real("comm.timeout_s"), [&](Communicator& communicator) {
    const std::string out = line.text("out");
    std::optional<AtomicFile> file;
    on_all_ranks(communicator, [&] {
      if (communicator.rank() == 0 && out != "-") file.emplace(out);
    });
    const Dataset rows = load_rows_for(loaded, line.text("data"), false, context.plugins, communicator);
    write_predictions(communicator, loaded.model, rows, [&](const std::string& text) {
      file ? file->write(text) : static_cast<void>(std::fwrite(text.data(), 1, text.size(), stdout));
    });
    if (file) file->commit();
    return 0;
  });
}

}  // namespace

void add_predict_commands(std::vector<Command>* rows) {
  rows->push_back({{"predict",
                    "RUN|FILE",
                    1,
                    1,
                    true,
                    {{"data", "FILE", "rows, with or without labels"},
                     {"out", "FILE", "CSV with a line for each row; - is stdout"},
                     ranks_flag()}},
                   "Writes what a model says of every row of a file.",
                   predict});
}

}  // namespace lockstep
