// SPDX-License-Identifier: Apache-2.0
#include "cli/checkpoint_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "cli/output_file.h"
#include "core/config_identity.h"
#include "core/printable.h"
#include "lockstep/core/error.h"
#include "train/checkpoint.h"
#include "train/checkpoint_manifest.h"
#include "train/compare_files.h"
#include "train/load_model.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

bool is_checkpoint(const fs::path& path) {
  return CheckpointName::parse(path.filename().string()) || fs::exists(path / "manifest.json");
}

/// A checkpoint, or a file that holds a model or was exported, whole and verified. Throws Error(kData).
TensorFile read_any(const fs::path& path) {
  if (!fs::exists(path)) throw Error(ExitCode::kData, path.string() + ": no such file");
  if (fs::is_directory(path)) return read_checkpoint(path);
  TensorFile file = read_safetensors(path);
  const std::string format = file.metadata["format"];
  if (format.starts_with("lockstep-model-")) return read_model_file(path).file;
  if (format != kCheckpointFormat)
    throw Error(ExitCode::kData, path.string() + ": has format \"" + format +
                                     "\", which is none of a model or checkpoint that this program reads");
  return file;
}

/// The checkpoints of a run, newest first, then its model; or the one checkpoint or file.
std::vector<fs::path> files_of(fs::path run_or_file) {
  if (!run_or_file.has_filename()) run_or_file = run_or_file.parent_path();  // "runs/a/"
  if (!fs::is_directory(run_or_file) || is_checkpoint(run_or_file)) return {run_or_file};
  std::vector<fs::path> files = list_checkpoints(run_or_file);
  if (fs::exists(run_or_file / "model.safetensors")) files.push_back(run_or_file / "model.safetensors");
  if (files.empty()) throw Error(ExitCode::kData, run_or_file.string() + ": has no checkpoint and no model");
  return files;
}

void complain(const Error& error) {
  fmt::print(stderr, "{}\n", printable(error.what()));
}

/// The newest file that verifies; of a file named by the user, that one.
std::pair<fs::path, TensorFile> newest(const std::string& argument) {
  const std::vector<fs::path> files = files_of(argument);
  for (const fs::path& path : files) {
    try {
      return {path, read_any(path)};
    } catch (const Error& error) {
      if (&path == &files.back()) throw;
      complain(error);
    }
  }
  throw Error(ExitCode::kInternal, "no file");
}

double norm_of(const TensorData& tensor) {
  double sum = 0;
  for (const float value : tensor.values) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

void print_state(const TensorFile& file) {
  if (!file.metadata.contains("state")) return;
  const RunState state = parse_run_state(file.metadata.at("state"));
  fmt::print("{:<16} {}\n{:<16} {:.3f}\n", "step", state.step, "epoch",
             static_cast<double>(state.consumed) / static_cast<double>(std::max<Index>(state.rows, 1)));
  fmt::print("{:<16} {:.2f}\n{:<16} {}\n", "train_s", state.train_s, "data", state.data_fingerprint);
  if (state.skipped_steps > 0) fmt::print("{:<16} {}\n", "skipped steps", state.skipped_steps);
  if (state.watch.best_step >= 0)
    fmt::print("{:<16} {} at step {}\n", "best", state.watch.best, state.watch.best_step);
}

std::string shape_text(const std::vector<Index>& shape) {
  std::string text;
  for (const Index extent : shape) text += (text.empty() ? "" : " × ") + std::to_string(extent);
  return text;
}

int show(const CommandContext& context) {
  const auto [path, file] = newest(context.line.positional()[0]);
  fmt::print("{}\n{:<16} {}\n", path.string(), "format", file.metadata.at("format"));
  print_state(file);
  const Options options = read_config_text(context.table, file.metadata.at("config"));
  fmt::print("{:<16} {:016x}\n{:<16} {}\n", "config hash", config_hash(options), "checksum",
             file.metadata.at("checksum"));
  if (file.metadata.contains("parameters_hash"))
    fmt::print("{:<16} {}\n", "parameters_hash", file.metadata.at("parameters_hash"));
  for (const TensorData& tensor : file.tensors)
    fmt::print("  {:<32} {:>16}  norm {:.6g}\n", tensor.name, shape_text(tensor.shape), norm_of(tensor));
  return 0;
}

int verify(const CommandContext& context) {
  int code = 0;
  for (const std::string& argument : context.line.positional())
    for (const fs::path& path : files_of(argument)) {
      try {
        read_any(path);
        fmt::print("{}: ok\n", path.string());
      } catch (const Error& error) {
        complain(error);
        code = static_cast<int>(error.code());
      }
    }
  return code;
}

int diff(const CommandContext& context) {
  const auto a = newest(context.line.positional()[0]), b = newest(context.line.positional()[1]);
  const std::vector<std::string> lines = differences(context.table, a.second, b.second);
  for (const std::string& line : lines) fmt::print("{}\n", line);
  if (lines.empty()) fmt::print("equal\n");
  return static_cast<int>(lines.empty() ? ExitCode::kOk : ExitCode::kDisagree);
}

int export_file(const CommandContext& context) {
  if (!context.line.has("out"))
    throw Error(ExitCode::kUsage, "`lockstep checkpoint export` needs --out FILE");
  auto [path, file] = newest(context.line.positional()[0]);
  refuse_own_input(context.line.text("out"), {path.string()});
  std::vector<TensorView> views;
  for (const TensorData& tensor : file.tensors)
    views.push_back(
        {tensor.name, tensor.shape, tensor.values.data(), static_cast<Index>(tensor.values.size())});
  write_safetensors(context.line.text("out"), file.metadata, views);
  fmt::print("{} -> {}\n", path.string(), context.line.text("out"));
  return 0;
}

constexpr std::size_t kAny = 1000;

}  // namespace

void add_checkpoint_commands(std::vector<Command>* rows) {
  rows->push_back({{"checkpoint show", "RUN|FILE", 1, 1, false, {}},
                   "Prints what a checkpoint or model holds; of a run, its newest checkpoint.",
                   show});
  rows->push_back({{"checkpoint verify", "RUN|FILE...", 1, kAny, false, {}},
                   "Reads checkpoints and models wholly and checks them.",
                   verify});
  rows->push_back({{"checkpoint export",
                    "RUN|FILE",
                    1,
                    1,
                    false,
                    {{"out", "FILE", "a safetensors file, which Python reads", 'o'}}},
                   "Writes all tensors of a checkpoint, of a run its newest one, to one file.",
                   export_file});
  rows->push_back({{"checkpoint diff", "RUN|FILE RUN|FILE", 2, 2, false, {}},
                   "Prints what differs between two checkpoints or models.",
                   diff});
}

}  // namespace lockstep
