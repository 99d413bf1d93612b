// SPDX-License-Identifier: Apache-2.0
#include "cli/study_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "cli/study_options.h"
#include "core/config.h"
#include "core/duration.h"
#include "core/option_text.h"
#include "core/setting.h"
#include "lockstep/core/error.h"
#include "train/check_values.h"
#include "train/options.h"

namespace lockstep {

namespace {

constexpr Index kDefaultFactor = 4;
constexpr Index kLargestDefault = Index{1} << 20;
constexpr double kRateFactor = 3;

std::string short_number(double value) {
  return fmt::format("{}", std::stod(fmt::format("{:.4g}", value)));
}

std::vector<std::string> batch_values(const Options& options, Index rows) {
  std::vector<std::string> values = options.texts("study.batches");
  if (values.empty()) {
    values = {"full"};
    for (Index batch = kLargestDefault; batch >= 1; batch /= kDefaultFactor)
      if (batch < rows) values.push_back(std::to_string(batch));
  }
  std::vector<std::string> kept;
  std::set<Index> seen;
  for (const std::string& value : values) {
    Options one = options;
    one.set("train.batch", value, options.origin("study.batches"));
    // A batch that changes is like no other, whatever it begins with.
    if (seen.insert(value == "auto" ? -1 : batch_size(one, rows)).second) kept.push_back(value);
  }
  return kept;
}

std::vector<std::string> rate_values(const Options& options) {
  std::vector<std::string> values;
  const double rate = options.real("optim.learning_rate");
  for (const double one : options.reals("study.rates")) values.push_back(to_literal(one));
  if (values.empty())
    for (const double factor : {1 / kRateFactor, 1.0, kRateFactor})
      values.push_back(factor == 1 ? to_literal(rate) : short_number(rate * factor));
  return values;
}

std::vector<StudyAxis> axes_of(const Options& options, Index rows) {
  std::vector<StudyAxis> axes = {{"train.batch", batch_values(options, rows)},
                                 {"optim.learning_rate", rate_values(options)}};
  for (VariedKey& varied : read_varied_keys(options)) axes.push_back({varied.key, std::move(varied.values)});
  axes.push_back({"ranks", {}});
  for (const std::int64_t ranks : options.integers("study.ranks"))
    axes.back().values.push_back(std::to_string(ranks));
  axes.push_back({"run.seed", {}});
  for (std::int64_t i = 0; i < options.integer("study.seeds"); ++i)
    axes.back().values.push_back(std::to_string(options.integer("run.seed") + i));
  return axes;
}

// Letters that are safe in a path.
std::string path_text(const std::string& value) {
  std::string text;
  for (const char c : value) {
    const bool is_plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
    text += is_plain ? c : '_';
  }
  return text;
}

std::string name_part(const StudyAxis& axis, const std::string& value) {
  if (axis.key == "train.batch") return "batch-" + path_text(value);
  if (axis.key == "optim.learning_rate") return "-rate-" + path_text(value);
  if (axis.values.size() == 1) return "";
  const std::string word = axis.key.substr(axis.key.rfind('.') + 1);
  return "-" + path_text(word) + "-" + path_text(value);
}

void apply_text(Options& options, const std::string& key, const std::string& value,
                const std::string& origin) {
  apply_settings({{key, split_words(*options.table().find(key), value), origin}}, &options);
}

// Keys of a study are no part of its members.
void forget_study(Options& options) {
  for (const OptionSpec& spec : options.table().specs())
    if (spec.key.starts_with("study.")) options.set(spec.key, spec.default_value, "default");
}

std::vector<StudyAxis::Value> settings_of(const std::vector<StudyAxis>& axes,
                                          const std::vector<std::size_t>& choice) {
  std::vector<StudyAxis::Value> settings;
  for (std::size_t i = 0; i < axes.size(); ++i) settings.emplace_back(axes[i].key, axes[i].values[choice[i]]);
  return settings;
}

std::string name_of(const std::vector<StudyAxis>& axes, const std::vector<std::size_t>& choice) {
  std::string name;
  for (std::size_t i = 0; i < axes.size(); ++i) name += name_part(axes[i], axes[i].values[choice[i]]);
  return name;
}

void check_member(const StudyMember& member, const Plugins& plugins) {
  try {
    check_values(member.options, plugins);
  } catch (const Error& error) {
    throw Error(error.code(), "member " + member.name + " of the study: " + error.what());
  }
}

bool advance(std::vector<std::size_t>& choice, const std::vector<StudyAxis>& axes) {
  for (std::size_t i = axes.size(); i-- > 0;) {
    if (++choice[i] < axes[i].values.size()) return true;
    choice[i] = 0;
  }
  return false;
}

}  // namespace

double member_epochs(double epochs, Index least_steps, Index batch, Index rows) {
  const auto steps_per_epoch = static_cast<double>((rows + batch - 1) / batch);
  return std::max(epochs, std::ceil(static_cast<double>(least_steps) / steps_per_epoch));
}

StudyMember make_study_member(const Options& options, std::string name,
                              std::vector<StudyAxis::Value> settings, Index rows) {
  StudyMember member{std::move(name), std::move(settings), options, 1, 0, 0, 0};
  Options& mine = member.options;
  // The length of the config in epochs, which are the same for every batch.
  double epochs = mine.real("train.epochs");
  if (const Index steps = mine.integer("train.steps"); steps > 0)
    epochs =
        static_cast<double>(steps) * static_cast<double>(batch_size(mine, rows)) / static_cast<double>(rows);
  for (const auto& [key, value] : member.settings)
    if (key == "ranks")
      member.ranks = std::stoi(value);
    else
      apply_text(mine, key, value, "study");
  member.batch = batch_size(mine, rows);
  member.rate = mine.real("optim.learning_rate");
  member.seed = mine.integer("run.seed");
  mine.set("run.name", member.name, "study");
  mine.set("train.steps", std::int64_t{0}, "study");
  mine.set("train.epochs", member_epochs(epochs, options.integer("study.least_steps"), member.batch, rows),
           "study");
  if (mine.is_default("eval.every")) mine.set("eval.every", std::string(kMemberCadence), "study");
  mine.set("log.progress", std::string("none"), "study");
  forget_study(mine);
  return member;
}

StudyPlan plan_study(const Options& options, const Plugins& plugins, Index rows, int concurrent) {
  constexpr std::size_t kMostMembers = 100000;
  StudyPlan plan;
  plan.axes = axes_of(options, rows);
  std::size_t count = 1;
  for (const StudyAxis& axis : plan.axes) {
    count *= axis.values.size();
    if (count == 0 || count > kMostMembers)
      throw Error(ExitCode::kConfig,
                  count == 0 ? "the study has no value for " + axis.key
                             : fmt::format("the study has more than {} combinations", kMostMembers));
  }
  plan.budget_s = parse_seconds(options.text("study.budget"), "study.budget");
  plan.share_s =
      plan.budget_s * std::min<double>(concurrent, static_cast<double>(count)) / static_cast<double>(count);
  std::vector<std::size_t> choice(plan.axes.size(), 0);
  do {
    StudyMember member =
        make_study_member(options, name_of(plan.axes, choice), settings_of(plan.axes, choice), rows);
    member.options.set("train.budget", fmt::format("{:.3f}s", plan.share_s), "study");
    check_member(member, plugins);
    plan.members.push_back(std::move(member));
  } while (advance(choice, plan.axes));
  return plan;
}

}  // namespace lockstep
