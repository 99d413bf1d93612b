// SPDX-License-Identifier: Apache-2.0
#include "support/experiment.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/option_table.h"
#include "core/atomic_file.h"
#include "core/config.h"
#include "lockstep/run.h"
#include "support/thread_communicator.h"

namespace lockstep::testing {

Options options_of(const std::vector<std::string>& settings, const Plugins& plugins) {
  ConfigRequest request;
  request.read_environment = false;
  request.sets = {"log.progress=none", "checkpoint.every=never", "checkpoint.background=false"};
  request.sets.insert(request.sets.end(), settings.begin(), settings.end());
  return resolve_config(all_options(plugins), request);
}

std::vector<std::string> with(std::vector<std::string> settings, const std::vector<std::string>& more) {
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

ExitCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::kOk;
}

TrainingResult train_on(int ranks, const std::vector<std::string>& settings, const TrainingRequest& request) {
  const Options options = options_of(settings);
  const Plugins plugins = builtin_plugins();
  TrainingResult result;
  run_ranks(ranks, [&](Communicator& communicator) {
    const TrainingResult mine = train_run(options, plugins, communicator, request);
    if (communicator.rank() == 0) result = mine;
  });
  return result;
}

std::string summary_text(const std::filesystem::path& run, const std::string& key) {
  return nlohmann::json::parse(read_file(run / "summary.json")).at(key).get<std::string>();
}

std::vector<std::string> logged_hashes(const std::filesystem::path& run) {
  std::vector<std::string> hashes;
  std::ifstream lines(run / "metrics.jsonl");
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json.at("kind") == "hash") hashes.push_back(json.at("parameters_hash").get<std::string>());
  }
  return hashes;
}

}  // namespace lockstep::testing
