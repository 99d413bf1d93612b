// SPDX-License-Identifier: Apache-2.0
#include "train/metrics_log.h"

#include <algorithm>
#include <cmath>

#include "core/json.h"

namespace lockstep {

namespace {

constexpr Index kLinesPerRun = 1000;

Json line_of(const char* kind, const StepReport& report) {
  return {{"kind", kind},
          {"step", report.step},
          {"epoch", report.epoch},
          {"rows", report.rows},
          {"train_s", report.train_s}};
}

}  // namespace

MetricsLog::MetricsLog(RunDirectory& directory, Index total_steps)
    : directory_(directory), total_steps_(total_steps) {}

bool MetricsLog::is_due(Index step, Index total_steps) {
  return step % std::max<Index>(1, total_steps / kLinesPerRun) == 0 || step == total_steps;
}

void MetricsLog::begin(const RunFacts& facts) {
  if (std::filesystem::file_size(directory_.file("metrics.jsonl")) > 0) return;
  const Json line = {{"kind", "schema"},
                     {"name", "lockstep.metrics"},
                     {"version", kVersion},
                     {"rows", facts.rows},
                     {"features", facts.features},
                     {"parameters", facts.parameters},
                     {"batch", facts.batch},
                     {"shards", facts.shards},
                     {"ranks", facts.ranks},
                     {"steps_per_epoch", facts.steps_per_epoch},
                     {"total_steps", facts.total_steps},
                     {"task", facts.task},
                     {"watch", facts.watch}};
  directory_.append_metrics(line.dump());
}

void MetricsLog::on_step(const StepReport& report) {
  loss_min_ = batches_ == 0 ? report.loss : std::min(loss_min_, report.loss);
  loss_max_ = batches_ == 0 ? report.loss : std::max(loss_max_, report.loss);
  loss_sum_ += report.loss;
  accuracy_sum_ += report.accuracy;
  ++batches_;
  if (!is_due(report.step, total_steps_) && report.step != report.total_steps) return;
  const auto batches = static_cast<double>(batches_);
  Json line = line_of("step", report);
  line["train.loss"] = loss_sum_ / batches;
  line["train.loss_min"] = loss_min_;
  line["train.loss_max"] = loss_max_;
  if (report.accuracy >= 0) line["train.accuracy"] = accuracy_sum_ / batches;
  if (!std::isnan(report.progressive_loss)) line["progressive.loss"] = report.progressive_loss;
  line["rate"] = report.rate;
  line["gradient_norm"] = report.gradient_norm;
  line["batch"] = report.batch;
  if (!(report.update_ratio < 0)) line["update_ratio"] = report.update_ratio;  // a NaN becomes null
  directory_.append_metrics(line.dump());
  loss_sum_ = accuracy_sum_ = 0;
  batches_ = 0;
}

void MetricsLog::on_evaluation(const StepReport& report, const MetricValues& values, bool is_best) {
  Json line = line_of("evaluation", report);
  line["best"] = is_best;
  for (const auto& [name, value] : values) line[name] = value;
  directory_.append_metrics(line.dump());
}

void MetricsLog::on_times(const StepReport& report, const RankTimesReport& times) {
  if (times.steps == 0) return;
  Json line = {{"kind", "time"},
               {"step", report.step},
               {"train_s", report.train_s},
               {"steps", times.steps},
               {"step_ms", times.step_ms()},
               {"slowest", times.slowest},
               {"late_share", times.late_share}};
  for (const RankTime& rank : times.ranks)
    line["ranks"].push_back({{"data", rank.data},
                             {"compute", rank.compute},
                             {"exchange", rank.exchange},
                             {"wait", rank.wait},
                             {"update", rank.update},
                             {"late_ms", rank.late_ms}});
  directory_.append_metrics(line.dump());
}

void MetricsLog::on_noise(const StepReport& report, const NoiseReport& noise) {
  Json line = line_of("noise", report);
  line["noise.gradient_sq"] = noise.gradient_sq;
  line["noise.variance"] = noise.variance;
  line["noise.scale"] = noise.scale;  // a NaN becomes null
  line["noise.scale_smoothed"] = noise.scale_smoothed;
  line["noise.source"] = noise.is_of_pairs ? "pairs" : "shards";
  directory_.append_metrics(line.dump());
}

void MetricsLog::on_batch(const StepReport& report, const BatchReport& batch) {
  Json line = line_of("batch", report);
  line["batch"] = batch.batch;
  line["rate_gain"] = batch.rate_gain;
  line["noise.scale_smoothed"] = batch.scale_smoothed;
  directory_.append_metrics(line.dump());
}

void MetricsLog::on_trouble(const TroubleReport& trouble) {
  const bool went_back = trouble.back_to >= 0;
  const Json line = {{"kind", "trouble"},        {"step", went_back ? trouble.back_to : trouble.step - 1},
                     {"what", trouble.what},     {"action", trouble.action},
                     {"bad_step", trouble.step}, {"epoch_number", trouble.epoch},
                     {"first", trouble.first},   {"last", trouble.last},
                     {"loss", trouble.loss},  // a NaN becomes null
                     {"median", trouble.median}, {"passed_over", trouble.passed_over},
                     {"detail", trouble.detail}};
  directory_.append_metrics(line.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!went_back) return;
  loss_sum_ = accuracy_sum_ = 0;
  batches_ = 0;
}

void MetricsLog::on_checkpoint(const CheckpointReport& report) {
  const Json line = {{"kind", "checkpoint"},      {"step", report.step},
                     {"bytes", report.bytes},     {"stall_ms", report.stall_s * 1e3},
                     {"write_s", report.write_s}, {"failed", report.trouble}};
  directory_.append_metrics(line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void MetricsLog::on_hash(Index step, const std::string& hash) {
  directory_.append_metrics(Json{{"kind", "hash"}, {"step", step}, {"parameters_hash", hash}}.dump());
}

}  // namespace lockstep
