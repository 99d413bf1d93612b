// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "core/json.h"
#include "lockstep/core/error.h"
#include "train/checkpoint_reader.h"
#include "train/generation.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

constexpr const char* kManifest = "manifest.json";

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

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() == fs::file_type::directory;
}

// A link is no checkpoint: what it leads to is not the run's to delete.
std::vector<CheckpointName> names_in(const fs::path& folder) {
  std::vector<CheckpointName> names;
  if (!fs::is_directory(folder)) return names;
  for (const auto& entry : fs::directory_iterator(folder))
    if (const auto name = CheckpointName::parse(entry.path().filename().string());
        name && is_folder(entry.path()))
      names.push_back(*name);
  return names;
}

bool is_milestone(const fs::path& folder) {
  try {
    return read_manifest(folder).is_milestone;
  } catch (const Error& error) {
    return error.code() == ExitCode::kIo;  // it may be one
  }
}

}  // namespace

std::vector<CheckpointName> all_checkpoints(const fs::path& folder) {
  std::vector<CheckpointName> names = names_in(folder);
  std::erase_if(names, [&](const CheckpointName& name) {
    return !fs::exists(checkpoint_path(folder, name) / kManifest);
  });
  return names;
}

std::vector<fs::path> list_checkpoints(const fs::path& run) {
  std::vector<CheckpointName> names = all_checkpoints(run / "checkpoints");
  std::optional<Generation> generation;
  try {
    generation = read_generation(run);
  } catch (const Error&) {
    // The next start of the run says so.
  }
  if (generation)
    std::erase_if(names, [&](const CheckpointName& name) {
      const auto& kept = generation->kept;
      return name.generation != generation->number &&
             std::find(kept.begin(), kept.end(), name.text()) == kept.end();
    });
  std::sort(names.begin(), names.end(), std::greater<>());
  std::vector<fs::path> paths;
  paths.reserve(names.size());
  for (const CheckpointName& name : names) paths.push_back(checkpoint_path(run / "checkpoints", name));
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

fs::path checkpoint_path(const fs::path& folder, const CheckpointName& name) {
  return folder / name.text();
}

bool remove_checkpoint(const fs::path& folder, FileSystem& files) {
  if (!is_folder(folder)) return true;
  std::error_code error;
  if (fs::exists(folder / kManifest, error) && files.remove_file((folder / kManifest).string()) != 0)
    return false;
  std::vector<fs::path> rest;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (const std::string name = entry->path().filename().string();
        name.starts_with("part-") || name.ends_with(".tmp"))
      rest.push_back(entry->path());
  for (const fs::path& path : rest) files.remove_file(path.string());
  files.remove_folder(folder.string());
  return true;
}

void remove_old_checkpoints(const fs::path& run, Index keep, FileSystem& files) {
  Index kept = 0;
  for (const fs::path& folder : list_checkpoints(run))
    if (!is_milestone(folder) && ++kept > keep) remove_checkpoint(folder, files);
}

void remove_checkpoints_from(const fs::path& run, Index step) {
  for (const fs::path& folder : list_checkpoints(run))
    if (folder.filename() >= CheckpointName{step, 0}.text() && !remove_checkpoint(folder))
      throw Error(ExitCode::kIo, folder.string() + ": cannot be removed: " + std::strerror(errno));
}

void remove_stale_checkpoints(const fs::path& folder, const std::vector<std::string>& kept) {
  for (const CheckpointName& name : names_in(folder))
    if (std::find(kept.begin(), kept.end(), name.text()) == kept.end())
      remove_checkpoint(checkpoint_path(folder, name));
}

TensorFile read_checkpoint(const fs::path& folder) {
  CheckpointReader reader(folder);
  reader.verify();
  return reader.tensors();
}

}  // namespace lockstep
