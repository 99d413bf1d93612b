// SPDX-License-Identifier: Apache-2.0
#include "train/training_run.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "comm/agreement.h"
#include "comm/topology.h"
#include "core/build_identity.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/config_identity.h"
#include "core/floating_point.h"
#include "data/cache_place.h"
#include "lockstep/core/error.h"
#include "train/check_values.h"
#include "train/curves.h"
#include "train/metrics_log.h"
#include "train/options.h"
#include "train/progress_log.h"
#include "train/resume_training.h"
#include "train/run_status.h"
#include "train/summary.h"
#include "train/tensorboard_log.h"
#include "train/trainer.h"
#include "train/watchdog.h"

namespace lockstep {

namespace {

std::unique_ptr<RunDirectory> open_directory(const Options& options, Communicator& communicator,
                                             const TrainingRequest& request) {
  std::unique_ptr<RunDirectory> directory;
  on_all_ranks(communicator, [&] {
    if (communicator.rank() != 0) return;
    auto path = request.directory;
    if (path.empty()) {
      const std::string& name = options.text("run.name");
      path = RunDirectory::fresh_path(options.text("run.root"),
                                      name.empty() ? options.text("model.name") : name);
    }
    const auto mode = request.resumes      ? RunDirectory::Mode::kResume
                      : request.overwrites ? RunDirectory::Mode::kOverwrite
                                           : RunDirectory::Mode::kNew;
    directory = std::make_unique<RunDirectory>(path, mode);
    if (!request.resumes) directory->publish("config.toml", to_toml(options, false));
  });
  return directory;
}

// What the ranks share of S shards, the most loaded one against the mean: 1 is even.
double balance(int shards, int ranks) {
  const int most = (shards + ranks - 1) / ranks;
  return static_cast<double>(shards) / (static_cast<double>(ranks) * most);
}

std::string batch_text(const BatchPolicy& batches) {
  if (!batches.is_auto()) return fmt::format("{}", batches.first());
  return fmt::format("{}, which may grow to {},", batches.first(), batches.most());
}

// "categories: colour (3), zip (7)"; empty: no column is of words.
std::string categories_line(const ColumnEncoding& encoding) {
  constexpr std::size_t kNamed = 8, kShown = 40;  // columns; bytes of a name
  std::string line;
  std::size_t count = 0;
  for (std::size_t j = 0; j < encoding.is_category.size(); ++j) {
    if (!encoding.is_category[j] || ++count > kNamed) continue;
    const std::string name = (encoding.column_names.empty() ? "column " : "") + encoding.column_name(j);
    line += fmt::format("{}{} ({})", count == 1 ? "categories: " : ", ", name.substr(0, kShown),
                        encoding.categories[j].size());
  }
  return count > kNamed ? line + fmt::format(" and {} more columns", count - kNamed) : line;
}

std::vector<std::string> start_lines(const Trainer& trainer, const TrainedModel& model, const Dataset& train,
                                     Communicator& communicator, const Topology& topology) {
  const int ranks = communicator.size(), shards = train.shards();
  const DatasetInfo& info = train.info();
  std::vector<std::string> lines;
  lines.push_back(fmt::format("{}: {} rows × {} features{}{}", info.source, info.rows, info.features,
                              info.is_sparse ? " (sparse)" : "",
                              info.is_regression ? "" : fmt::format(", {} classes", info.classes.size())));
  const std::string categories = categories_line(info.encoding);
  if (!categories.empty()) lines.push_back(categories);
  lines.push_back(fmt::format("{} parameters, rate {}", model.model->layout().logical_size(),
                              trainer.rate().description()));
  lines.push_back(fmt::format(
      "batch {} = {} shards on {} rank{} (balance {:.2f}), {} steps an epoch, {} in all; {:.0f} MB a rank",
      batch_text(trainer.batches()), shards, ranks, ranks == 1 ? "" : "s", balance(shards, ranks),
      trainer.steps_per_epoch(), trainer.total_steps(), static_cast<double>(trainer.memory_bytes()) / 1e6));
  if (ranks > 1) lines.push_back("ranks exchange by " + trainer.transport());
  if (!trainer.sparse_line().empty()) lines.push_back(trainer.sparse_line());
  if (ranks > shards)
    lines.push_back(
        fmt::format("ranks {} … {} host no shard: train.shards = {} would use all ranks (another experiment, "
                    "with other bits)",
                    shards, ranks - 1, ranks));
  if (topology.is_oversubscribed())
    lines.push_back(
        fmt::format("more ranks than processors ({} on {}): expect no speed-up", ranks, topology.cores));
  return lines;
}

RunFacts facts_of(const Options& options, const Trainer& trainer, const TrainedModel& model,
                  const Dataset& train, int ranks) {
  return {train.info().rows,
          train.info().features,
          model.model->layout().logical_size(),
          trainer.batch(),
          train.shards(),
          ranks,
          trainer.steps_per_epoch(),
          trainer.total_steps(),
          train.info().is_regression ? "regression" : "classification",
          options.text("train.watch")};
}

void print_results(const TrainOutcome& outcome, const RunDirectory& directory) {
  for (const char* name : {"progressive.loss", "train.loss", "train.accuracy", "valid.loss", "valid.accuracy",
                           "valid.rmse", "test.loss", "test.accuracy", "test.rmse"})
    if (const auto found = outcome.metrics.find(name); found != outcome.metrics.end())
      fmt::print("{:<16} {:.4f}\n", name, found->second);
  if (outcome.time_to_target_s >= 0)
    fmt::print("{:<16} {:.2f} s\n", "time to target", outcome.time_to_target_s);
  fmt::print("{:<16} {}\n{}\n", "parameters_hash", outcome.hash, directory.path().string());
}

// A run that diverged tells how far it came; there is no model.
TrainOutcome run_trainer(Trainer& trainer, const Dataset& rows, Communicator& communicator,
                         const RunDirectory* directory, double start) {
  try {
    return trainer.run();
  } catch (const AgreedError& error) {
    if (directory != nullptr && error.code() == ExitCode::kDiverged)
      directory->publish("summary.json", summary_json(trainer.diverged_outcome(), trainer, rows,
                                                      communicator.size(), now_seconds() - start));
    throw;
  }
}

}  // namespace

// All keys: even those that leave the model alone, such as checkpoint.every, decide when ranks meet.
void require_same_configuration(Communicator& communicator, const Options& options) {
  const std::string mine = whole_config(options);
  const std::string first = all_gather(communicator, mine)[0];
  require_agreement(communicator, "configuration",
                    mine == first ? "as rank 0" : first_difference(first, mine));
}

DataSets load_all(const Options& options, const Plugins& plugins, Communicator& communicator,
                  const Loss& loss, const FoldPlan& folds) {
  record_of(communicator).begin(RankPhase::kLoad);
  std::optional<DataSets> data;
  on_all_ranks(communicator, [&] {
    LoadPlan plan;
    plan.task = loss.task();
    plan.shards = shard_count(options);
    plan.hosted = hosted_shards(communicator.rank(), communicator.size(), plan.shards);
    plan.folds = folds;
    plan.check_label = [&](float label) { loss.check_label(label); };
    plan.communicator = &communicator;
    plan.cache_directory = cache_directory(options.text("run.root"));
    data.emplace(load_datasets(options, plugins.formats, plan));
  });
  return std::move(*data);
}

static TrainingResult run_session(const Options& options, const Plugins& plugins, Communicator& communicator,
                                  const TrainingRequest& request, StatusFile& status) {
  const double start = now_seconds();
  set_floating_point_mode();
  if (request.watchdog != nullptr) request.watchdog->start(communicator);
  require_agreement(communicator, "build", build_identity());
  require_same_configuration(communicator, options);
  std::unique_ptr<Loss> loss;
  on_all_ranks(communicator, [&] {
    check_values(options, plugins);  // or a wrong one would be found when all data are read
    loss = make_loss(options, plugins);
  });
  const DataSets data = load_all(options, plugins, communicator, *loss, request.folds);
  require_agreement(communicator, "training and validation data", data.fingerprint());
  if (data.test) require_agreement(communicator, "test data", data.test->info().fingerprint);
  record_of(communicator).begin(RankPhase::kSetUp);
  std::optional<TrainedModel> model;
  on_all_ranks(communicator, [&] { model.emplace(make_model(options, plugins, schema_of(data.train))); });
  std::unique_ptr<RunDirectory> directory;  // outlives the trainer, whose checkpoints go there
  std::optional<Trainer> trainer;
  on_all_ranks(communicator, [&] { trainer.emplace(options, plugins, communicator, data, *model); });
  // Only now, when all options are known to be good: an error in them leaves no directory.
  directory = open_directory(options, communicator, request);
  trainer->write_to(directory.get(), request.files);
  if (request.watchdog != nullptr) {
    if (directory) request.watchdog->set_generation(directory->generation());
    request.watchdog->write_to(communicator, directory ? directory->path() : "", request.job);
  }
  std::int64_t generation = directory ? directory->generation() : 0;
  broadcast(communicator, &generation, sizeof generation);
  status.begin(directory ? directory->path() : request.directory, generation, request.job);
  trainer->add_observer(status);

  std::optional<ProgressLog> progress;
  std::optional<MetricsLog> metrics;
  const Topology topology = find_topology(communicator);
  if (directory) {
    progress.emplace(ProgressLog::choose(options.text("log.progress"), request.is_launched), *directory);
    metrics.emplace(*directory, trainer->total_steps());
    trainer->add_observer(*progress);
    trainer->add_observer(*metrics);
    if (!directory->note().empty()) progress->on_message(directory->note());
    for (const std::string& warning : data.train.info().warnings) progress->on_message("warning: " + warning);
    // What else is to be said of these was said of the training rows.
    for (const auto* further : {&data.valid, &data.test})
      if (*further && (*further)->info().bad_rows > 0)
        for (const std::string& warning : (*further)->info().warnings)
          progress->on_message("warning: " + (*further)->info().source + ": " + warning);
    for (const std::string& line : start_lines(*trainer, *model, data.train, communicator, topology))
      progress->on_message(line);
  }
  if (request.resumes)
    resume_training(communicator, request.directory, directory.get(), *trainer,
                    [&](const std::string& text) { progress->on_message(text); });
  if (metrics) metrics->begin(facts_of(options, *trainer, *model, data.train, communicator.size()));
  std::optional<TensorboardLog> tensorboard;
  on_all_ranks(communicator, [&] {
    if (directory && options.flag("log.tensorboard")) tensorboard.emplace(*directory);
  });
  const TrainOutcome outcome = run_trainer(*trainer, data.train, communicator, directory.get(), start);
  if (progress) progress->end();
  if (progress && outcome.last.shares.exposed > 0)
    progress->on_message(fmt::format("of {:.3g} ms a step {:.3g} ms went by waiting for other nodes",
                                     trainer->step_times().mean_ms(),
                                     exposed_ms(outcome.last, trainer->step_times())));
  progress.reset();
  const bool has_curves = options.flag("log.curves") && outcome.reason != EndReason::kStopped;
  const std::string curves = has_curves ? curves_json(communicator, *model, data) : "";
  TrainingResult result;
  result.metrics = outcome.metrics;
  if (outcome.reason == EndReason::kStopped) result.exit_code = static_cast<int>(ExitCode::kStopped);
  on_all_ranks(communicator, [&] {
    if (!directory) return;
    result.directory = directory->path();
    directory->require_own_generation();
    directory->flush();
    if (outcome.reason != EndReason::kStopped)
      save_model(directory->file("model.safetensors"), options, *model);
    if (has_curves) directory->publish("curves.json", curves);
    directory->publish("summary.json", summary_json(outcome, *trainer, data.train, communicator.size(),
                                                    now_seconds() - start));
    if (outcome.reason == EndReason::kStopped)
      fmt::print(stderr, "stopped at step {}; `lockstep resume {}` continues\n", outcome.last.step,
                 directory->path().string());
    else
      print_results(outcome, *directory);
    status.end(result.exit_code, outcome.reason == EndReason::kStopped ? "stopped" : "finished");
  });
  return result;
}

TrainingResult train_run(const Options& options, const Plugins& plugins, Communicator& communicator,
                         const TrainingRequest& request) {
  StatusFile status(communicator);
  try {
    return run_session(options, plugins, communicator, request, status);
  } catch (...) {
    status.fail(std::current_exception());
    throw;
  }
}

}  // namespace lockstep
