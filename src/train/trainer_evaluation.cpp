// SPDX-License-Identifier: Apache-2.0
// What a Trainer measures, and which weights it keeps.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "comm/agreement.h"
#include "lockstep/core/error.h"
#include "train/trainer.h"

namespace lockstep {

// A rule that watches a metric nobody measures would never act, and nobody would know.
void Trainer::require_metric(const std::string& key, const std::string& metric) const {
  if (metric.starts_with("valid.") && !data_.valid)
    throw Error(ExitCode::kConfig, key + " needs " + metric +
                                       ", but there is no data.valid; data.valid = \"split:0.2\" makes one");
  if (metric.starts_with("train.") && options_.text("eval.train") != "always")
    throw Error(ExitCode::kConfig,
                key + " needs " + metric + ", which is measured only with eval.train = \"always\"");
  const auto names = metric_names(model_, static_cast<int>(options_.integer("eval.top_k")));
  if (std::find(names.begin(), names.end(), metric.substr(metric.find('.') + 1)) == names.end())
    throw Error(ExitCode::kConfig, fmt::format("{} needs {}, which this model does not have; it has {}", key,
                                               metric, fmt::join(names, ", ")));
}

// The model's own weights are free while the trainer runs: they were its start and take its end.
const float* Trainer::weights_to_evaluate() {
  if (sparse_) return sparse_->settled(model_.weights.data());
  if (!average_.is_started()) return weights_;
  average_.collect(*reducer_, model_.weights.data());
  return model_.weights.data();
}

MetricValues Trainer::measure(const float* weights, const Dataset& rows, const std::string& name) {
  MetricSums sums =
      evaluate_sums(communicator_, model_, weights, rows, static_cast<int>(options_.integer("eval.top_k")));
  outcome_.confusion[name] = confusion_of(sums);
  MetricValues values;
  for (const auto& [metric, value] : sums.values()) values[fmt::format("{}.{}", name, metric)] = value;
  return values;
}

void Trainer::evaluate() {
  const bool needs_train = options_.text("eval.train") == "always";
  if (!data_.valid && !data_.test && !needs_train) return;
  record_.begin(RankPhase::kEvaluate);
  const float* weights = weights_to_evaluate();
  MetricValues values;
  if (needs_train) values.merge(measure(weights, data_.train, "train"));
  if (data_.valid) values.merge(measure(weights, *data_.valid, "valid"));
  if (data_.test) values.merge(measure(weights, *data_.test, "test"));
  const bool is_best = watch_.observe(values, step_);
  if (const auto watched = values.find(watch_.metric()); watched != values.end())
    rate_.observe(is_larger_better(watch_.metric()) ? -watched->second : watched->second);
  if (is_best && data_.valid && checkpoints_.exists()) save_best(weights);
  if (is_best && keeps_best_) keep_best(weights);
  for (StepObserver* observer : observers_) observer->on_evaluation(report_, values, is_best);
  outcome_.metrics = std::move(values);
  if (watch_.is_over()) reason_ = EndReason::kPatience;
  if (target_.reached(outcome_.metrics)) {
    reason_ = EndReason::kTarget;
    outcome_.time_to_target_s = report_.train_s;
  }
}

void Trainer::keep_final_weights() {
  if (keeps_best_ && watch_.has_best()) {
    std::copy(best_weights_.begin(), best_weights_.end(), model_.weights.begin() + reducer_->slice().begin);
    reducer_->publish(model_.weights.data());
  } else if (average_.is_started()) {
    average_.collect(*reducer_, model_.weights.data());
  } else if (const float* last = weights_to_evaluate(); last != model_.weights.data()) {
    std::copy_n(last, model_.weights.size(), model_.weights.begin());
  }
}

// The last evaluation saw the final weights, unless the best ones have taken their place.
void Trainer::add_final_metrics() {
  const float* weights = model_.weights.data();
  MetricValues& values = outcome_.metrics;
  if (keeps_best_ || values.empty()) {
    values.clear();
    if (data_.valid) values.merge(measure(weights, *data_.valid, "valid"));
    if (data_.test) values.merge(measure(weights, *data_.test, "test"));
  }
  if (options_.text("eval.train") == "never" || values.contains("train.loss")) return;
  values.merge(measure(weights, data_.train, "train"));
}

}  // namespace lockstep
