// SPDX-License-Identifier: Apache-2.0
#include "train/summary.h"

#include <algorithm>
#include <cmath>

#include "core/json.h"

namespace lockstep {

namespace {

const char* name_of(EndReason reason) {
  switch (reason) {
    case EndReason::kFinished:
      return "finished";
    case EndReason::kTarget:
      return "target";
    case EndReason::kPatience:
      return "patience";
    case EndReason::kTolerance:
      return "tolerance";
    case EndReason::kBudget:
      return "budget";
    case EndReason::kDiverged:
      return "diverged";
    case EndReason::kStopped:
      return "stopped";
  }
  return "";
}

void add_shares(Json& json, const StepReport& last) {
  const double total = std::max(last.train_s, 1e-12);
  const TimeShares& shares = last.shares;
  json["share.data"] = shares.data / total;
  json["share.compute"] = shares.compute / total;
  json["share.exchange"] = shares.exchange / total;
  json["share.wait"] = shares.wait / total;
  json["share.update"] = shares.update / total;
  json["share.exposed"] = shares.exposed / total;
}

Json times_of_ranks(const RankTimesReport& times) {
  Json ranks = Json::array();
  for (const RankTime& rank : times.ranks)
    ranks.push_back({{"data", rank.data},
                     {"compute", rank.compute},
                     {"exchange", rank.exchange},
                     {"wait", rank.wait},
                     {"update", rank.update},
                     {"late_ms", rank.late_ms}});
  return ranks;
}

constexpr int kHistogramBins = 60;

void add_noise(Json& json, const NoiseMeter& meter) {
  if (meter.scale().count() == 0) return;
  const NoiseReport noise = meter.report();
  json["noise.gradient_sq"] = noise.gradient_sq;
  json["noise.variance"] = noise.variance;
  json["noise.scale"] = noise.scale;
  json["noise.scale_smoothed"] = noise.scale_smoothed;
  json["noise.source"] = noise.is_of_pairs ? "pairs" : "shards";
}

void add_checkpoints(Json& json, const CheckpointTotals& totals) {
  if (totals.count == 0) return;
  json["checkpoint.count"] = totals.count;
  json["checkpoint.failed"] = totals.failed;
  json["checkpoint_ms"] = totals.stall_s * 1e3 / static_cast<double>(totals.count);
  json["checkpoint_ms.max"] = totals.worst_stall_s * 1e3;
  json["checkpoint.write_s"] = totals.write_s;
  json["checkpoint.bytes"] = totals.bytes;
}

}  // namespace

double exposed_ms(const StepReport& last, const StepTimes& times) {
  return last.shares.exposed * 1e3 / static_cast<double>(std::max<std::int64_t>(times.count(), 1));
}

double baseline_of(const DatasetInfo& info) {
  if (info.is_regression) return info.label_mean;
  if (info.class_weight_sums.empty() || info.total_weight <= 0) return std::nan("");
  return *std::max_element(info.class_weight_sums.begin(), info.class_weight_sums.end()) / info.total_weight;
}

std::string summary_json(const TrainOutcome& outcome, const Trainer& trainer, const Dataset& data, int ranks,
                         double wall_s) {
  const StepReport& last = outcome.last;
  Json json;
  json["status"] = name_of(outcome.reason);
  json["parameters_hash"] = outcome.hash;
  json["ranks"] = ranks;
  json["shards"] = data.shards();
  json["batch"] = trainer.batches().batch();
  if (trainer.batches().is_auto()) {
    json["batch.mean"] = static_cast<double>(last.rows) / static_cast<double>(std::max<Index>(last.step, 1));
    json["rate_gain"] = trainer.batches().gain();
  }
  json["steps"] = last.step;
  json["skipped_steps"] = outcome.skipped_steps;
  json["rewinds"] = trainer.rewinds();
  json["passed_over_batches"] = trainer.passed_over();
  json["epochs"] = last.epoch;
  json["rows_used"] = last.rows;
  json["skipped_rows"] = data.info().bad_rows;
  json["wall_s"] = wall_s;
  json["train_s"] = last.train_s;
  json["rows_per_s"] =
      static_cast<double>(trainer.rows_this_session()) / std::max(trainer.seconds_this_session(), 1e-12);
  const StepTimes& times = trainer.step_times();
  json["step_ms"] = times.mean_ms();
  json["step_ms.mean"] = times.mean_ms();
  json["step_ms.p50"] = times.percentile_ms(0.50);
  json["step_ms.p95"] = times.percentile_ms(0.95);
  json["step_ms.p99"] = times.percentile_ms(0.99);
  json["step_ms.histogram"] = times.histogram_ms(kHistogramBins);
  add_shares(json, last);
  json["time.ranks"] = times_of_ranks(outcome.times);
  json["slowest_rank"] = outcome.times.slowest;
  json["exposed_ms"] = exposed_ms(last, times);
  add_noise(json, trainer.noise());
  add_checkpoints(json, trainer.checkpoints().totals());
  if (outcome.time_to_target_s >= 0) json["time_to_target_s"] = outcome.time_to_target_s;
  if (outcome.best_step >= 0) json["best_step"] = outcome.best_step;
  json["baseline"] = baseline_of(data.info());
  for (const auto& [name, value] : outcome.metrics) json[name] = value;  // a NaN becomes null
  for (const auto& [name, matrix] : outcome.confusion)
    if (!matrix.empty()) json[name + ".confusion"] = matrix;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace lockstep
