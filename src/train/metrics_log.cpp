// SPDX-License-Identifier: Apache-2.0
#include "train/metrics_log.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace lockstep {

using Json = nlohmann::ordered_json;

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
    : directory_(directory), every_(std::max<Index>(1, total_steps / kLinesPerRun)) {}

void MetricsLog::on_step(const StepReport& report) {
  loss_sum_ += report.loss;
  accuracy_sum_ += report.accuracy;
  ++batches_;
  if (report.step % every_ != 0 && report.step != report.total_steps) return;
  const auto batches = static_cast<double>(batches_);
  Json line = line_of("step", report);
  line["train.loss"] = loss_sum_ / batches;
  if (report.accuracy >= 0) line["train.accuracy"] = accuracy_sum_ / batches;
  line["rate"] = report.rate;
  line["gradient_norm"] = report.gradient_norm;
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

void MetricsLog::on_hash(Index step, const std::string& hash) {
  directory_.append_metrics(Json{{"kind", "hash"}, {"step", step}, {"parameters_hash", hash}}.dump());
}

}  // namespace lockstep
