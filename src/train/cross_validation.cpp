// SPDX-License-Identifier: Apache-2.0
#include "train/cross_validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "comm/agreement.h"
#include "core/atomic_file.h"
#include "core/config.h"
#include "core/json.h"
#include "data/data_options.h"
#include "lockstep/core/error.h"
#include "train/run_directory.h"
#include "train/run_status.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

constexpr int kMostFolds = 1000;

fs::path fold_path(const fs::path& run, int fold) {
  return run / fmt::format("fold-{}", fold);
}

// What the last session left to tell where it was and how it ended.
void remove_old_state(const fs::path& run) {
  fs::remove(run / "status.json");
  fs::remove(run / "progress.json");
}

void remove_old_folds(const fs::path& run) {
  for (int fold = 0, folds = folds_of(run); fold < folds; ++fold) fs::remove_all(fold_path(run, fold));
  fs::remove(run / "folds.json");
  fs::remove(run / "config.toml");
  remove_old_state(run);
}

void prepare_folder(const fs::path& run, const Options& options, bool overwrites, int folds) {
  std::error_code error;
  fs::create_directories(run, error);
  if (error) throw Error(ExitCode::kOutput, run.string() + ": cannot be created: " + error.message());
  if (overwrites) remove_old_folds(run);
  const auto is_foreign = [](const fs::directory_entry& entry) {
    return !entry.path().filename().string().starts_with(".launch");  // a launcher holds the folder
  };
  if (std::any_of(fs::directory_iterator(run), fs::directory_iterator(), is_foreign))
    throw Error(ExitCode::kOutput,
                run.string() + ": is not empty; choose another --run-dir" +
                    (overwrites ? "; --overwrite deletes only what a cross-validation made"
                                : ", or --overwrite to replace the cross-validation in it"));
  write_file_atomically(run / "config.toml", to_toml(options, false));
  write_file_atomically(run / "folds.json", Json{{"folds", folds}}.dump(2) + "\n");
}

// Its checkpoints and unfinished files are deleted: it has to be the run's own.
void refuse_linked_folds(const fs::path& run, int folds) {
  for (int fold = 0; fold < folds; ++fold)
    if (fs::is_symlink(fold_path(run, fold)))
      throw Error(ExitCode::kOutput, fold_path(run, fold).string() +
                                         ": is a symbolic link; what a run writes lies in its own folder");
}

// Rank 0 knows the folder; the others follow it.
fs::path choose_folder(const Options& options, Communicator& communicator, const TrainingRequest& request,
                       int folds) {
  std::string chosen;
  on_all_ranks(communicator, [&] {
    if (communicator.rank() != 0) return;
    row_filter(options, {folds, 0});  // refuses a data.valid before anything is made
    fs::path run = request.directory;
    const std::string& name = options.text("run.name");
    if (run.empty()) run = RunDirectory::fresh_path(options.text("run.root"), name.empty() ? "folds" : name);
    if (request.resumes)
      remove_old_state(run);
    else
      prepare_folder(run, options, request.overwrites, folds);
    refuse_linked_folds(run, folds);
    chosen = run.string();
  });
  return all_gather(communicator, chosen)[0];
}

enum class FoldState { kNew, kBegun, kFinished };

FoldState find_state(Communicator& communicator, const fs::path& fold) {
  auto state = FoldState::kNew;
  if (fs::exists(fold / "config.toml"))
    state = is_finished_run(fold) ? FoldState::kFinished : FoldState::kBegun;
  broadcast(communicator, &state, sizeof state);
  return state;
}

MetricValues valid_metrics(const fs::path& fold) {
  const Json summary = Json::parse(read_file(fold / "summary.json"), nullptr, false);
  MetricValues values;
  for (const auto& [name, value] : summary.items())
    if (name.starts_with("valid.")) values[name] = value.is_number() ? value.get<double>() : std::nan("");
  return values;
}

struct Spread {
  double mean = 0, deviation = 0;
};

Spread spread_of(const std::vector<double>& values) {
  Spread spread;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) spread.mean += value / count;
  for (const double value : values) spread.deviation += (value - spread.mean) * (value - spread.mean);
  spread.deviation = std::sqrt(spread.deviation / (count - 1));
  return spread;
}

void report(const fs::path& run, int folds) {
  std::map<std::string, std::vector<double>> all;
  for (int fold = 0; fold < folds; ++fold)
    for (const auto& [name, value] : valid_metrics(fold_path(run, fold))) all[name].push_back(value);
  Json json{{"folds", folds}};
  fmt::print("{} folds, mean ± standard deviation\n", folds);
  for (const auto& [name, values] : all) {
    const Spread spread = spread_of(values);
    json["metrics"][name] = {{"mean", spread.mean}, {"deviation", spread.deviation}, {"values", values}};
    fmt::print("{:<16} {:.4f} ± {:.4f}\n", name, spread.mean, spread.deviation);
  }
  write_file_atomically(run / "folds.json", json.dump(2) + "\n");
  fmt::print("{}\n", run.string());
}

}  // namespace

int cross_validate(const Options& options, const Plugins& plugins, Communicator& communicator,
                   const TrainingRequest& request, int folds) {
  const fs::path run = choose_folder(options, communicator, request, folds);
  for (int fold = 0; fold < folds; ++fold) {
    const FoldState state = find_state(communicator, fold_path(run, fold));
    if (state == FoldState::kFinished) continue;
    if (communicator.rank() == 0) fmt::print(stderr, "fold {} of {}\n", fold + 1, folds);
    TrainingRequest part = request;
    part.directory = fold_path(run, fold);
    part.overwrites = false;
    part.resumes = state == FoldState::kBegun;
    part.folds = {folds, fold};
    part.job = run;
    const TrainingResult result = train_run(options, plugins, communicator, part);
    if (result.exit_code != 0) return result.exit_code;
  }
  StatusFile status(communicator);
  status.begin(run, 0);
  on_all_ranks(communicator, [&] {
    if (communicator.rank() == 0) report(run, folds);
    status.end(0, "finished");
  });
  return 0;
}

int folds_of(const fs::path& run) {
  if (!fs::exists(run / "folds.json")) return 0;
  int folds = 0;
  try {
    Json::parse(read_file(run / "folds.json")).at("folds").get_to(folds);
  } catch (const Json::exception&) {  // as few as none
  }
  if (folds < 2 || folds > kMostFolds)
    throw Error(ExitCode::kData, (run / "folds.json").string() + ": is malformed");
  return folds;
}

}  // namespace lockstep
