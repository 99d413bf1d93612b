// SPDX-License-Identifier: Apache-2.0
#include "cli/study_file.h"

#include <fmt/format.h>

#include <cmath>

#include "core/json.h"
#include "report/table.h"
#include "train/stop_rules.h"

namespace lockstep {

namespace {

Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

// "4096" is a number, "full" is not.
Json value_of(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  return json.is_number() || json.is_boolean() ? json : Json(text);
}

Json member_json(const StudyMember& member, const MemberResult& result, double limit_share) {
  Json settings = Json::object();
  for (const auto& [key, value] : member.settings) settings[key] = value_of(value);
  return {{"name", member.name},
          {"directory", member_path(member).string()},
          {"settings", settings},
          {"ranks", member.ranks},
          {"batch", member.batch},
          {"rate", member.rate},
          {"seed", member.seed},
          {"status", result.status},
          {"steps", result.steps},
          {"epochs", result.epochs},
          {"train_s", result.train_s},
          {"rows_per_s", number_or_null(result.rows_per_s)},
          {"step_ms", number_or_null(result.step_ms)},
          {"time_to_target_s", number_or_null(result.time_to_target_s)},
          {"steps_to_target", result.steps_to_target < 0 ? Json() : Json(result.steps_to_target)},
          {"epochs_to_target", number_or_null(result.epochs_to_target)},
          {"best", number_or_null(result.best)},
          {"last_epoch_loss_spread", number_or_null(result.last_epoch_loss_spread)},
          {"limit_share", number_or_null(limit_share)}};
}

std::string cell(double value, const char* unit = "") {
  return std::isfinite(value) ? fmt::format("{:.3g}{}", value, unit) : "–";
}

std::string last_line(const Study& study) {
  const int best = study.best();
  std::size_t ended = 0;
  for (const MemberResult& result : study.results) ended += result.has_ended() ? 1 : 0;
  if (best < 0)
    return study.has_target() ? fmt::format("no member reached {}; the best value and the time are shown\n",
                                            study.plan.members[0].options.text("train.target"))
                              : fmt::format("no member has a value of {}\n", study.metric());
  const auto i = static_cast<std::size_t>(best);
  return fmt::format(
      "{} of {} members ended; best: {}{}\n", ended, study.results.size(), study.plan.members[i].name,
      study.has_target() ? fmt::format(", {} s to the target", cell(study.results[i].time_to_target_s))
                         : fmt::format(", {} = {}", study.metric(), cell(study.results[i].best)));
}

}  // namespace

bool Study::has_target() const {
  return !plan.members[0].options.text("train.target").empty();
}

std::string Study::metric() const {
  const Options& options = plan.members[0].options;
  return has_target() ? Target(options).metric() : options.text("train.watch");
}

int Study::best() const {
  int best = -1;
  double best_value = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const double value =
        has_target() ? -results[i].time_to_target_s : (is_larger_better(metric()) ? 1 : -1) * results[i].best;
    if (!results[i].has_ended() || results[i].status == "diverged" || !std::isfinite(value) ||
        (best >= 0 && value <= best_value))
      continue;
    best = static_cast<int>(i);
    best_value = value;
  }
  return best;
}

std::string study_json(const Study& study) {
  Json json;
  json["schema"] = "lockstep.study/1";
  json["name"] = study.name;
  json["target"] = nullptr;
  if (study.has_target()) {
    const Target target(study.plan.members[0].options);
    json["target"] = {
        {"metric", target.metric()}, {"at_least", target.wants_at_least()}, {"value", target.value()}};
  }
  json["metric"] = study.metric();
  json["budget_s"] = study.plan.budget_s;
  json["axes"] = Json::object();
  for (const StudyAxis& axis : study.plan.axes)
    for (const std::string& value : axis.values) json["axes"][axis.key].push_back(value_of(value));
  json["members"] = Json::array();
  for (std::size_t i = 0; i < study.results.size(); ++i)
    json["members"].push_back(member_json(study.plan.members[i], study.results[i], study.limit_shares[i]));
  json["predicted"] = nullptr;
  if (study.predicted)
    json["predicted"] = {{"batch", study.predicted->batch},
                         {"rate", study.predicted->rate},
                         {"ranks", study.predicted->ranks},
                         {"time_s", number_or_null(study.predicted->time_s)}};
  const int best = study.best();
  json["found"] = nullptr;
  if (best >= 0) json["found"] = {{"member", study.plan.members[static_cast<std::size_t>(best)].name}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string study_table(const Study& study) {
  Table table({"member", "ranks", "status", "to target", "steps", "epochs", "time", "step", "rows/s",
               "best " + study.metric(), "spread"});
  for (std::size_t i = 0; i < study.results.size(); ++i) {
    const MemberResult& result = study.results[i];
    table.add({study.plan.members[i].name, std::to_string(study.plan.members[i].ranks), result.status,
               cell(result.time_to_target_s, " s"), std::to_string(result.steps), cell(result.epochs),
               cell(result.train_s, " s"), cell(result.step_ms, " ms"),
               std::isfinite(result.rows_per_s) ? fmt::format("{:.0f}", result.rows_per_s) : "–",
               cell(result.best), cell(result.last_epoch_loss_spread)});
  }
  return table.text() + last_line(study);
}

}  // namespace lockstep
