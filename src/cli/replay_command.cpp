// SPDX-License-Identifier: Apache-2.0
#include "cli/replay_command.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <filesystem>

#include "core/floating_point.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"
#include "train/dump.h"
#include "train/load_model.h"
#include "train/trainer.h"
#include "train/training_run.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

void print(const StepReplay& replay) {
  fmt::print("{:<16} {}\n{:<16} {}, positions {} … {}\n{:<16} {}\n", "step", replay.step, "epoch",
             replay.window.epoch, replay.window.first, replay.window.last - 1, "loss", replay.loss);
  fmt::print("\n{:>5}  {:>8}  {:>14}  {:>16}\n", "shard", "rows", "mean loss", "gradient");
  for (const ShardReplay& shard : replay.shards)
    fmt::print("{:>5}  {:>8}  {:>14.7g}  {:016x}\n", shard.shard, shard.rows, shard.loss / shard.weight,
               shard.hash);
  fmt::print("\n{:>10}  {:>5}  {:>14}\n", "worst row", "shard", "loss");
  for (const RowReplay& row : replay.worst)
    fmt::print("{:>10}  {:>5}  {:>14.7g}\n", row.row, row.shard, row.loss);
}

bool have_equal_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

int replay(const CommandContext& context) {
  if (launched_by_mpi())
    throw Error(ExitCode::kUsage, "`lockstep replay` is one process: call it without mpirun");
  const fs::path argument = context.line.positional()[0], dump = find_dump(argument);
  if (dump.empty())
    throw Error(ExitCode::kData,
                argument.string() + ": has no dump of a step, as runs that ended badly have");
  const TensorFile state = read_dumped_state(dump);
  const Options options = read_config_text(context.table, state.metadata.at("config"), context.line.config());
  set_floating_point_mode();
  const auto communicator = make_single_communicator();
  const auto loss = make_loss(options, context.plugins);
  const DataSets data = load_all(options, context.plugins, *communicator, *loss);
  TrainedModel model = make_model(options, context.plugins, schema_of(data.train));
  Trainer trainer(options, context.plugins, *communicator, data, model);
  const StepReplay result = trainer.replay(state);
  const TroubleReport trouble = read_dump(dump);
  fmt::print("{:<16} {}\n{:<16} {}: {}\n", "dump", dump.string(), "trouble", trouble.what, trouble.detail);
  print(result);
  if (!have_equal_bits(result.loss, trouble.loss))
    throw Error(ExitCode::kDisagree, fmt::format("the run had the loss {} in this step, here it is {}",
                                                 trouble.loss, result.loss));
  fmt::print("\nthe run had the same loss\n");
  return 0;
}

}  // namespace

void add_replay_command(std::vector<Command>* rows) {
  rows->push_back({{"replay", "RUN|DUMP", 1, 1, true, {}},
                   "Runs the step that ended a run once more and shows its shards and worst rows.",
                   replay});
}

}  // namespace lockstep
