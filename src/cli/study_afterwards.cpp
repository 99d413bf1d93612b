// SPDX-License-Identifier: Apache-2.0
#include "cli/study_afterwards.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "cli/landscape.h"
#include "cli/local_launch.h"
#include "cli/machine.h"
#include "cli/process_pool.h"
#include "cli/step_limits.h"
#include "core/atomic_file.h"
#include "core/config.h"
#include "train/experiment.h"
#include "train/stop_rules.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

// All but what changes no limit.
std::string work_of(const StudyMember& member) {
  std::string text;
  for (const auto& [key, value] : member.settings)
    if (key != "optim.learning_rate" && key != "run.seed") text += key + "=" + value + "\n";
  return text;
}

double limit_ms(const StudyMember& member, const Plugins& plugins, const Dataset& rows) {
  Options options = member.options;
  options.set("model.init", std::string(), "study");
  const TrainedModel model = make_model(options, plugins, schema_of(rows));
  const auto optimizer = plugins.optimizers.find(options.text("optim.name")).create(options);
  const auto alone = make_single_communicator();
  const StepLimits limits = find_step_limits(
      *alone, {&model.model->layout(), rows.info().is_sparse ? 0 : rows.info().features,
               static_cast<Index>(optimizer->state_names().size()), member.batch, member.ranks});
  return std::max(limits.products_ms, limits.memory_ms);
}

std::string regime_of(const StudyMember& member, Index rows) {
  return member.batch >= rows ? "full" : member.batch == 1 ? "single rows" : "mini-batch";
}

bool is_better(const Study& study, std::size_t a, std::size_t b) {
  const MemberResult &x = study.results[a], &y = study.results[b];
  if (x.status == "target" || y.status == "target")
    return x.status == "target" && (y.status != "target" || x.time_to_target_s < y.time_to_target_s);
  if (!std::isfinite(x.best) || !std::isfinite(y.best)) return std::isfinite(x.best);
  return is_larger_better(study.metric()) ? x.best > y.best : x.best < y.best;
}

/// The best member of each regime, by its name.
std::map<std::string, std::size_t> choose_members(const Study& study, Index rows) {
  std::map<std::string, std::size_t> chosen;
  for (std::size_t i = 0; i < study.results.size(); ++i) {
    const std::string& status = study.results[i].status;
    if (!study.results[i].has_ended() || status == "diverged" || study.results[i].steps == 0) continue;
    const auto [found, is_new] = chosen.try_emplace(regime_of(study.plan.members[i], rows), i);
    if (!is_new && is_better(study, i, found->second)) found->second = i;
  }
  return chosen;
}

}  // namespace

void add_limit_shares(Study& study, const Plugins& plugins, const Dataset& rows) {
  std::map<std::string, double> limits;
  for (std::size_t i = 0; i < study.results.size(); ++i) {
    const StudyMember& member = study.plan.members[i];
    if (!std::isfinite(study.results[i].step_ms)) continue;
    const auto [found, is_new] = limits.try_emplace(work_of(member), 0);
    if (is_new) found->second = limit_ms(member, plugins, rows);
    study.limit_shares[i] = found->second / study.results[i].step_ms;
  }
}

bool write_landscape(const Study& study, const Plugins& plugins, const Dataset& rows,
                     const fs::path& folder) {
  constexpr std::int64_t kSnapshots = 64;
  std::vector<LandscapePath> paths;
  std::vector<ProcessJob> jobs;
  const auto chosen = choose_members(study, rows.info().rows);
  if (chosen.empty() || study.plan.members[0].options.table().find("log.path") == nullptr) return true;
  const std::size_t first = chosen.begin()->second;
  for (const auto& [regime, number] : chosen) {
    const StudyMember& member = study.plan.members[number];
    if (member.options.text("model.name") != study.plan.members[first].options.text("model.name") ||
        member.options.integers("model.hidden") != study.plan.members[first].options.integers("model.hidden"))
      continue;
    const fs::path run = folder / "landscape" / member.name;
    fs::create_directories(folder / "landscape");
    Options options = member.options;
    options.set("log.path", kSnapshots, "landscape");
    options.set("train.budget", fmt::format("{} steps", std::max<Index>(1, study.results[number].steps)),
                "landscape");
    options.set("checkpoint.every", std::string("never"), "landscape");
    write_file_atomically(run.string() + ".toml", to_toml(options, false));
    jobs.push_back(
        {{own_path(), "train", "-c", run.string() + ".toml", "--run-dir", run.string(), "--overwrite"},
         1,
         run.string() + ".txt"});
    paths.push_back({member.name, regime, run});
  }
  bool is_complete = true;
  {
    ProcessPool pool(usable_cores());
    is_complete = pool.run(
        jobs, [&](std::size_t i) { return !fs::exists(paths[i].run / "path.safetensors"); },
        [](std::size_t, int) {});
  }
  if (!is_complete) return false;
  std::erase_if(paths, [](const LandscapePath& path) { return !fs::exists(path.run / "path.safetensors"); });
  if (!paths.empty())
    write_file_atomically(folder / "landscape.json",
                          landscape_json(study.plan.members[first].options, plugins, rows, paths));
  return true;
}

}  // namespace lockstep
