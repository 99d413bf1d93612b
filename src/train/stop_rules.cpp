// SPDX-License-Identifier: Apache-2.0
#include "train/stop_rules.h"

#include <charconv>
#include <cmath>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

bool is_larger_better(const std::string& metric) {
  for (const char* name : {"loss", "rmse", "mae"})
    if (metric.ends_with(name)) return false;
  return true;
}

void refuse_test_metric(const std::string& key, const std::string& metric) {
  if (metric.starts_with("test."))
    throw Error(ExitCode::kConfig,
                key + " = \"" + metric +
                    "\": the test set must not stop or choose a run; use valid.* (data.valid = "
                    "\"split:0.2\" makes one)");
  if (!metric.starts_with("valid.") && !metric.starts_with("train."))
    throw Error(ExitCode::kConfig, key + " = \"" + metric + "\": expected a metric such as valid.loss");
}

Target::Target(const Options& options) {
  const std::string& text = options.text("train.target");
  if (text.empty()) return;
  const auto sign = text.find_first_of("<>");
  const std::string expected =
      options.origin("train.target") + ": train.target = \"" + text +
      "\": expected a metric, >= or <=, and a number, as in \"valid.accuracy >= 0.88\"";
  if (sign == std::string::npos || sign + 2 > text.size() || text[sign + 1] != '=')
    throw Error(ExitCode::kConfig, expected);
  metric_ = trimmed(text.substr(0, sign));
  wants_at_least_ = text[sign] == '>';
  const std::string number = trimmed(text.substr(sign + 2));
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value_);
  if (error != std::errc() || end != number.data() + number.size()) throw Error(ExitCode::kConfig, expected);
  refuse_test_metric("train.target", metric_);
}

bool Target::reached(const MetricValues& values) const {
  const auto found = values.find(metric_);
  if (!exists() || found == values.end()) return false;
  return wants_at_least_ ? found->second >= value_ : found->second <= value_;
}

BestWatch::BestWatch(const Options& options)
    : metric_(options.text("train.watch")),
      patience_(options.integer("train.patience")),
      min_delta_(options.real("train.min_delta")) {
  refuse_test_metric("train.watch", metric_);
}

bool BestWatch::observe(const MetricValues& values, Index step) {
  const auto found = values.find(metric_);
  if (found == values.end()) return false;
  const double value = found->second;
  const double gain = is_larger_better(metric_) ? value - best_ : best_ - value;
  const bool is_better = std::isfinite(value) && (best_step_ < 0 || gain > min_delta_);
  since_best_ = is_better ? 0 : since_best_ + 1;
  if (!is_better) return false;
  best_ = value;
  best_step_ = step;
  return true;
}

void BestWatch::restore(const State& state) {
  best_ = state.best;
  best_step_ = state.best_step;
  since_best_ = state.since_best;
}

}  // namespace lockstep
