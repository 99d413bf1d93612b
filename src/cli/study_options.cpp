// SPDX-License-Identifier: Apache-2.0
#include "cli/study_options.h"

#include <algorithm>
#include <array>

#include "core/setting.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string> split_at(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(trimmed(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return parts;
}

void check_key(const Options& options, const VariedKey& varied) {
  constexpr std::array kOwnAxes = {"train.batch", "optim.learning_rate", "run.seed"};
  const std::string& origin = options.origin("study.vary");
  if (options.table().find(varied.key) == nullptr) throw_unknown_key(options.table(), varied.key, origin);
  if (std::find(kOwnAxes.begin(), kOwnAxes.end(), varied.key) != kOwnAxes.end())
    throw Error(ExitCode::kConfig, origin + ": study.vary has " + varied.key +
                                       "; use study.batches, study.rates and study.seeds for that");
  if (varied.key.starts_with("study."))
    throw Error(ExitCode::kConfig, origin + ": study.vary has " + varied.key + ", which no run reads");
}

}  // namespace

void declare_study_options(OptionTable& table) {
  table.texts("study.batches", {},
              "batches of a study: numbers, or \"full\"; empty: full, and powers of 4 down to 1");
  table.reals("study.rates", {},
              "learning rates of a study; empty: optim.learning_rate and a third and three times of it");
  table.integers("study.ranks", {1}, "numbers of ranks of a study").range(1, 4096);
  table.integer("study.seeds", 1, "so many seeds for each combination, from run.seed on").range(1, 1000);
  table.text("study.budget", "10min",
             "training time of all members together; each gets an equal share as its train.budget");
  table
      .integer("study.least_steps", 1000,
               "members are planned for train.epochs, or for so many steps where that is longer: few epochs "
               "of large batches would be no training")
      .range(0);
  table.texts(
      "study.vary", {},
      "more keys to vary, each with its values: vary = { \"optim.name\" = [\"sgd\", \"adam\"] }, or as a "
      "text \"optim.name = sgd | adam\"");
}

std::vector<VariedKey> read_varied_keys(const Options& options) {
  std::vector<VariedKey> keys;
  for (const std::string& text : options.texts("study.vary")) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos)
      throw Error(ExitCode::kConfig, options.origin("study.vary") + ": study.vary has \"" + text +
                                         "\"; expected \"KEY = VALUE | VALUE\"");
    keys.push_back({trimmed(text.substr(0, equals)), split_at(text.substr(equals + 1), '|')});
    check_key(options, keys.back());
  }
  return keys;
}

}  // namespace lockstep
