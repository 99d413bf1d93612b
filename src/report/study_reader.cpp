// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "core/atomic_file.h"
#include "core/json.h"
#include "lockstep/core/error.h"
#include "report/study_record.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMemberBuckets = 100;

double number_or_nan(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : std::nan("");
}

std::string text_or(const Json& json, const char* key, const std::string& fallback) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : fallback;
}

std::string text_of(const Json& json) {
  return json.is_string() ? json.get<std::string>() : json.dump();
}

MemberRecord member_of(const Json& json, const fs::path& folder) {
  MemberRecord member;
  member.name = text_or(json, "name", "?");
  member.status = text_or(json, "status", "pending");
  const Json settings = json.value("settings", Json::object());
  for (const auto& [key, value] : settings.items()) member.settings[key] = text_of(value);
  member.ranks = number_or_nan(json, "ranks");
  member.batch = number_or_nan(json, "batch");
  member.rate = number_or_nan(json, "rate");
  member.seed = number_or_nan(json, "seed");
  member.steps = number_or_nan(json, "steps");
  member.epochs = number_or_nan(json, "epochs");
  member.train_s = number_or_nan(json, "train_s");
  member.rows_per_s = number_or_nan(json, "rows_per_s");
  member.step_ms = number_or_nan(json, "step_ms");
  member.time_to_target_s = number_or_nan(json, "time_to_target_s");
  member.steps_to_target = number_or_nan(json, "steps_to_target");
  member.epochs_to_target = number_or_nan(json, "epochs_to_target");
  member.best = number_or_nan(json, "best");
  member.last_epoch_loss_spread = number_or_nan(json, "last_epoch_loss_spread");
  member.limit_share = number_or_nan(json, "limit_share");
  member.reached = std::isfinite(member.time_to_target_s);
  const fs::path inside = fs::path(text_or(json, "directory", "members/" + member.name)).lexically_normal();
  if (inside.empty() || inside.is_absolute() || *inside.begin() == "..")
    return member;  // what lies elsewhere is not of this study
  const fs::path run = folder / inside;
  if (fs::exists(run / "metrics.jsonl") || fs::exists(run / "summary.json"))
    member.run = read_run(run, kMemberBuckets);
  return member;
}

std::vector<double> numbers_of(const Json& list) {
  std::vector<double> numbers;
  if (list.is_array())
    for (const Json& cell : list) numbers.push_back(cell.is_number() ? cell.get<double>() : std::nan(""));
  return numbers;
}

std::optional<LandscapeRecord> read_landscape(const fs::path& file) {
  if (!fs::exists(file)) return std::nullopt;
  const Json json = Json::parse(read_file(file), nullptr, false);
  if (!json.is_object()) return std::nullopt;
  LandscapeRecord landscape;
  landscape.is_exact = json.value("exact", false);
  landscape.explained = number_or_nan(json, "explained");
  landscape.x = numbers_of(json.value("x", Json()));
  landscape.y = numbers_of(json.value("y", Json()));
  const Json axes = json.value("axes", Json::array()), loss = json.value("loss", Json::array());
  for (std::size_t i = 0; i < 2 && i < axes.size(); ++i) landscape.axes[i] = text_of(axes[i]);
  for (const Json& row : loss) landscape.loss.push_back(numbers_of(row));
  for (const Json& path : json.value("paths", Json::array())) {
    if (!path.is_object()) continue;
    LandscapeRecord::Path read{text_or(path, "member", ""), text_or(path, "regime", ""), {}};
    for (const Json& point : path.value("points", Json::array()))
      if (const auto numbers = numbers_of(point);
          numbers.size() >= 3 && std::isfinite(numbers[0]) && std::isfinite(numbers[1]))
        read.points.push_back({numbers[0], numbers[1], numbers[2]});
    if (!read.points.empty()) landscape.paths.push_back(std::move(read));
  }
  const auto is_short = [&](const auto& row) { return row.size() != landscape.x.size(); };
  if (landscape.x.size() < 2 || landscape.y.size() < 2 || landscape.loss.size() != landscape.y.size() ||
      std::any_of(landscape.loss.begin(), landscape.loss.end(), is_short))
    return std::nullopt;
  return landscape;
}

}  // namespace

namespace {

StudyRecord study_from(const Json& json, const fs::path& folder) {
  StudyRecord study;
  study.folder = folder;
  study.name = text_or(json, "name", "");
  if (study.name.empty()) study.name = fs::absolute(folder).lexically_normal().filename().string();
  study.budget_s = number_or_nan(json, "budget_s");
  const Json target = json.value("target", Json());
  if (target.is_object())
    study.target = {text_or(target, "metric", ""), target.value("at_least", true),
                    number_or_nan(target, "value")};
  study.best_metric = text_or(json, "metric", study.target ? study.target->metric : "");
  for (const Json& member : json.value("members", Json::array()))
    if (member.is_object()) study.members.push_back(member_of(member, folder));
  for (const MemberRecord& member : study.members)
    if (study.best_metric.empty() && member.run) study.best_metric = member.run->setting("train.watch");
  const Json predicted = json.value("predicted", Json());
  if (predicted.is_object())
    study.predicted = {number_or_nan(predicted, "batch"), number_or_nan(predicted, "rate"),
                       number_or_nan(predicted, "ranks"), number_or_nan(predicted, "time_s")};
  const Json found = json.value("found", Json());
  if (found.is_object()) study.found = text_or(found, "member", "");
  study.landscape = read_landscape(folder / "landscape.json");
  return study;
}

}  // namespace

bool is_study(const fs::path& folder) {
  return fs::exists(folder / "study.json");
}

StudyRecord read_study(const fs::path& folder) {
  const Json json = Json::parse(read_file(folder / "study.json"), nullptr, false);
  if (!json.is_object() || !text_or(json, "schema", "").starts_with("lockstep.study/"))
    throw Error(ExitCode::kData, (folder / "study.json").string() +
                                     ": is no study; expected an object with the schema lockstep.study/1");
  try {
    return study_from(json, folder);
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kData, (folder / "study.json").string() + ": is malformed: " + error.what());
  }
}

}  // namespace lockstep
