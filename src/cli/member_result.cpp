// SPDX-License-Identifier: Apache-2.0
#include "cli/member_result.h"

#include <cmath>
#include <deque>
#include <fstream>

#include "core/atomic_file.h"
#include "core/json.h"
#include "train/stop_rules.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

double number(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : MemberResult::kNone;
}

double deviation(const std::deque<std::pair<double, double>>& losses) {
  if (losses.size() < 2) return MemberResult::kNone;
  const auto count = static_cast<double>(losses.size());
  double mean = 0, squares = 0;
  for (const auto& [epoch, loss] : losses) mean += loss / count;
  for (const auto& [epoch, loss] : losses) squares += (loss - mean) * (loss - mean);
  return std::sqrt(squares / (count - 1));
}

/// Follows the lines of metrics.jsonl. Of an epoch with few lines, as a full batch has, the last five steps
/// stand for the last epoch.
class MetricsReader {
 public:
  explicit MetricsReader(std::string metric) : metric_(std::move(metric)) {}

  void read(const Json& line) {
    const std::string kind = line.value("kind", "");
    if (kind == "step") add_loss(number(line, "epoch"), number(line, "train.loss"));
    if (kind == "evaluation") add_value(number(line, metric_.c_str()));
  }

  void fill(MemberResult& result) const {
    result.best = best_;
    result.last_epoch_loss_spread = deviation(losses_);
  }

 private:
  void add_loss(double epoch, double loss) {
    constexpr std::size_t kFewest = 5;
    if (!std::isfinite(loss)) return;
    losses_.emplace_back(epoch, loss);
    while (losses_.size() > kFewest && losses_.front().first <= epoch - 1) losses_.pop_front();
  }

  void add_value(double value) {
    if (!std::isfinite(value)) return;
    const bool is_better = is_larger_better(metric_) ? value > best_ : value < best_;
    if (std::isnan(best_) || is_better) best_ = value;
  }

  std::string metric_;
  double best_ = MemberResult::kNone;
  std::deque<std::pair<double, double>> losses_;
};

std::string status_of(const std::string& said) {
  if (said == "target" || said == "budget" || said == "diverged") return said;
  return said == "finished" || said == "patience" || said == "tolerance" ? "finished" : "pending";
}

}  // namespace

MemberResult read_member(const fs::path& run, const std::string& metric) {
  MemberResult result;
  if (!fs::exists(run / "summary.json")) return result;
  const Json summary = Json::parse(read_file(run / "summary.json"), nullptr, false);
  if (!summary.is_object()) return result;
  result.status = status_of(summary.value("status", ""));
  result.steps = summary.value("steps", Index{0});
  result.epochs = summary.value("epochs", 0.0);
  result.train_s = summary.value("train_s", 0.0);
  result.rows_per_s = number(summary, "rows_per_s");
  result.step_ms = number(summary, "step_ms.p50");
  if (result.status == "target") {
    result.time_to_target_s = number(summary, "time_to_target_s");
    result.steps_to_target = result.steps;
    result.epochs_to_target = result.epochs;
  }
  MetricsReader reader(metric);
  std::ifstream lines(run / "metrics.jsonl");
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_object()) reader.read(json);
  }
  reader.fill(result);
  if (std::isnan(result.best)) result.best = number(summary, metric.c_str());
  return result;
}

}  // namespace lockstep
