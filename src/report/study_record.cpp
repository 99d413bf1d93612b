// SPDX-License-Identifier: Apache-2.0
#include "report/study_record.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "report/text.h"

namespace lockstep {

namespace {

double number_in(const std::string& text) {
  double value = std::nan("");
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The standard deviation of the training loss over the last epoch.
double spread_of_last_epoch(const RunRecord& run) {
  const Course* loss = run.course("train.loss");
  if (!loss) return std::nan("");
  double sum = 0, squares = 0, count = 0;
  for (const CoursePoint& point : loss->points())
    if (point.epoch > loss->last().epoch - 1) {
      sum += point.value;
      squares += point.value * point.value;
      ++count;
    }
  return count < 3 ? std::nan("") : std::sqrt(std::max(0.0, squares / count - sum * sum / (count * count)));
}

double best_of(const RunRecord& run, const std::string& metric, bool highest) {
  const Course* course = run.course(metric);
  return course ? (highest ? course->highest() : course->lowest()).value : std::nan("");
}

const CoursePoint* first_at_target(const std::vector<CoursePoint>& points, const StudyTarget& target) {
  for (const CoursePoint& point : points)
    if (target.at_least ? point.value >= target.value : point.value <= target.value) return &point;
  return nullptr;
}

MemberRecord member_of(RunRecord run, const std::optional<StudyTarget>& target, const std::string& metric) {
  const double nan = std::nan("");
  MemberRecord member{.name = run.name, .status = run.status()};
  member.ranks = run.number("ranks", run.fact("ranks", 1));
  member.batch = run.batch();
  member.rate = number_in(run.setting("optim.learning_rate"));
  member.seed = number_in(run.setting("run.seed"));
  member.steps = run.steps();
  member.epochs = run.number("epochs", nan);
  member.train_s = run.number("train_s", nan);
  member.rows_per_s = run.number("rows_per_s", nan);
  member.step_ms = run.number("step_ms", nan);
  member.time_to_target_s = member.steps_to_target = member.epochs_to_target = member.limit_share = nan;
  const bool is_error = metric.ends_with("loss") || metric.ends_with("rmse") || metric.ends_with("mae");
  const bool highest = target ? target->at_least : !is_error;
  member.best = best_of(run, metric, highest);
  member.last_epoch_loss_spread = spread_of_last_epoch(run);
  if (target)
    if (const Course* course = run.course(target->metric)) {
      const auto points = course->points();
      if (const CoursePoint* reached = first_at_target(points, *target)) {
        member.reached = true;
        member.time_to_target_s = run.number("time_to_target_s", reached->train_s);
        member.steps_to_target = reached->step;
        member.epochs_to_target = reached->epoch;
      }
    }
  member.run = std::move(run);
  return member;
}

}  // namespace

std::optional<StudyTarget> target_of_text(const std::string& text) {
  const auto sign = text.find_first_of("<>");
  if (sign == std::string::npos) return std::nullopt;
  StudyTarget target;
  target.metric = text.substr(0, text.find_last_not_of(" ", sign - 1) + 1);
  target.at_least = text[sign] == '>';
  const auto digits = text.find_first_not_of("<>= ", sign);
  if (sign == 0 || digits == std::string::npos) return std::nullopt;
  target.value = number_in(text.substr(digits));
  return target;
}

std::string StudyTarget::text() const {
  return metric + (at_least ? " ≥ " : " ≤ ") + plain_number(value);
}

const MemberRecord* StudyRecord::member(const std::string& member_name) const {
  for (const MemberRecord& candidate : members)
    if (candidate.name == member_name) return &candidate;
  return nullptr;
}

StudyRecord study_of_runs(std::vector<RunRecord> runs) {
  StudyRecord study;
  study.name = std::to_string(runs.size()) + " runs";
  const std::string text = runs.front().setting("train.target");
  const bool agree = std::all_of(runs.begin(), runs.end(),
                                 [&](const RunRecord& run) { return run.setting("train.target") == text; });
  if (agree) study.target = target_of_text(text);
  study.best_metric = study.target ? study.target->metric : runs.front().setting("train.watch");
  for (RunRecord& run : runs)
    study.members.push_back(member_of(std::move(run), study.target, study.best_metric));
  double least = std::numeric_limits<double>::infinity();
  for (const MemberRecord& member : study.members)
    if (member.reached && member.time_to_target_s < least) {
      least = member.time_to_target_s;
      study.found = member.name;
    }
  return study;
}

}  // namespace lockstep
