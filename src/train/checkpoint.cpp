// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "lockstep/core/error.h"

namespace lockstep {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

const std::string kFormat = "lockstep-checkpoint-1";

// As texts, because JSON has no infinity and a schedule may remember one.
std::vector<std::string> to_texts(const std::vector<double>& values) {
  std::vector<std::string> texts;
  texts.reserve(values.size());
  for (const double value : values) texts.push_back(fmt::format("{}", value));
  return texts;
}

std::vector<double> to_values(const std::vector<std::string>& texts) {
  std::vector<double> values;
  for (const std::string& text : texts) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
      throw Error(ExitCode::kData,
                  "the state in the checkpoint is malformed: \"" + text + "\" is not a number");
    values.push_back(value);
  }
  return values;
}

}  // namespace

// By step, which the name holds, never by the time of the file.
std::vector<fs::path> list_checkpoints(const fs::path& folder) {
  std::vector<fs::path> paths;
  if (!fs::is_directory(folder)) return paths;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-") && name.ends_with(".safetensors")) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end(), std::greater<>());
  return paths;
}

std::string to_json(const RunState& state) {
  return Json{{"step", state.step},
              {"consumed", state.consumed},
              {"rows", state.rows},
              {"average_count", state.average_count},
              {"skipped_steps", state.skipped_steps},
              {"progressive", to_texts(state.progressive)},
              {"schedule", to_texts(state.schedule)},
              {"noise", to_texts(state.noise)},
              {"batch", to_texts(state.batch)},
              {"trouble", to_texts(state.trouble)},
              {"rewinds", state.rewinds},
              {"watch",
               {{"best", state.watch.best},
                {"best_step", state.watch.best_step},
                {"since_best", state.watch.since_best}}},
              {"train_s", state.train_s},
              {"end_reason", state.end_reason},
              {"canonical_config", state.canonical_config},
              {"data_fingerprint", state.data_fingerprint}}
      .dump();
}

RunState parse_run_state(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    RunState state;
    state.step = json.at("step").get<Index>();
    state.consumed = json.at("consumed").get<Index>();
    state.rows = json.at("rows").get<Index>();
    state.average_count = json.at("average_count").get<Index>();
    state.skipped_steps = json.at("skipped_steps").get<Index>();
    state.progressive = to_values(json.at("progressive").get<std::vector<std::string>>());
    state.schedule = to_values(json.at("schedule").get<std::vector<std::string>>());
    state.noise = to_values(json.at("noise").get<std::vector<std::string>>());
    state.batch = to_values(json.at("batch").get<std::vector<std::string>>());
    state.trouble = to_values(json.at("trouble").get<std::vector<std::string>>());
    state.rewinds = json.at("rewinds").get<std::vector<std::string>>();
    const Json& watch = json.at("watch");
    state.watch = {watch.at("best").get<double>(), watch.at("best_step").get<Index>(),
                   watch.at("since_best").get<Index>()};
    state.train_s = json.at("train_s").get<double>();
    state.end_reason = json.at("end_reason").get<int>();
    state.canonical_config = json.at("canonical_config").get<std::string>();
    state.data_fingerprint = json.at("data_fingerprint").get<std::string>();
    return state;
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kData, std::string("the state in the checkpoint is malformed: ") + error.what());
  }
}

fs::path checkpoint_path(const fs::path& folder, Index step) {
  return folder / fmt::format("step-{:012}.safetensors", step);
}

void remove_checkpoints_after(const fs::path& folder, Index step) {
  for (const fs::path& path : list_checkpoints(folder))
    if (path.filename() > checkpoint_path(folder, step).filename()) fs::remove(path);
}

void remove_old_checkpoints(const fs::path& folder, Index keep) {
  const auto paths = list_checkpoints(folder);
  for (auto i = static_cast<std::size_t>(keep); i < paths.size(); ++i) fs::remove(paths[i]);
}

TensorFile read_checkpoint(const fs::path& path) {
  TensorFile file = read_safetensors(path);
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || !format->second.starts_with("lockstep-checkpoint-"))
    throw Error(ExitCode::kData, path.string() + ": is not a checkpoint of this program");
  if (format->second != kFormat)
    throw Error(ExitCode::kData, path.string() + ": has format " + format->second + "; this program reads " +
                                     kFormat + ". Resume with the version that wrote it");
  if (!file.metadata.contains("state") || !file.metadata.contains("config") ||
      !file.metadata.contains("checksum"))
    throw Error(ExitCode::kData,
                path.string() + ": is not a whole checkpoint: state, config or checksum is missing");
  return file;
}

TensorFile find_checkpoint(const fs::path& run, std::vector<std::string>& rejected) {
  for (const fs::path& path : list_checkpoints(run / "checkpoints")) {
    try {
      return read_checkpoint(path);
    } catch (const Error& error) {
      rejected.emplace_back(error.what());
    }
  }
  std::string message = run.string() + ": has no checkpoint to resume from";
  for (const std::string& line : rejected) message += "\n  " + line;
  throw Error(ExitCode::kData, message);
}

}  // namespace lockstep
