// SPDX-License-Identifier: Apache-2.0
#include "core/config_identity.h"

#include <xxhash.h>
#include <sstream>

#include <algorithm>
#include <sstream>
#include <vector>

#include "core/config.h"
#include "core/option_text.h"

namespace lockstep {
namespace {

constexpr std::string_view kFreeTables[] = {"run.", "log.", "comm.", "checkpoint.", "study.", "launch."};
constexpr std::string_view kFreeKeys[] = {
    "data.train",        "data.valid",  "data.test",         "data.labels",       "data.valid_labels",
    "data.test_labels",  "data.cache",  "data.cache_check",  "train.budget",      "train.noise_every",
    "train.progressive", "train.audit", "train.check_every", "train.on_disagree", "train.time_limit"};

/// data.valid = "split:0.2" is no path: it takes rows away from training.
bool takes_rows(const Options& options, const OptionSpec& spec) {
  return spec.key == "data.valid" && options.text(spec.key).starts_with("split:");
}

/// Batches that follow the noise depend on how often it is measured.
bool chooses_batches(const Options& options, const OptionSpec& spec) {
  return spec.key == "train.noise_every" && options.text("train.batch") == "auto";
}

template <class Wanted>
std::string sorted_lines(const Options& options, const Wanted& is_wanted) {
  std::vector<std::string> lines;
  for (const OptionSpec& spec : options.table().specs())
    if (applies(options, spec) && is_wanted(spec))
      lines.push_back(spec.key + " = " + to_literal(options.value(spec.key)) + "\n");
  std::sort(lines.begin(), lines.end());
  std::string result;
  for (const std::string& line : lines) result += line;
  return result;
}

}  // namespace

bool determines_model(std::string_view key) {
  if (key == "run.seed" || key == "comm.sparse") return true;
  return std::none_of(std::begin(kFreeTables), std::end(kFreeTables),
                      [&](std::string_view table) { return key.starts_with(table); }) &&
         std::find(std::begin(kFreeKeys), std::end(kFreeKeys), key) == std::end(kFreeKeys);
}

std::string canonical_config(const Options& options) {
  return sorted_lines(options, [&](const OptionSpec& spec) {
    return determines_model(spec.key) || takes_rows(options, spec) || chooses_batches(options, spec);
  });
}

std::string whole_config(const Options& options) {
  return sorted_lines(options, [](const OptionSpec&) { return true; });
}

std::uint64_t config_hash(const Options& options) {
  const std::string text = canonical_config(options);
  return XXH3_64bits(text.data(), text.size());
}

std::string first_difference(const std::string& theirs, const std::string& ours) {
  std::istringstream left(theirs), right(ours);
  std::string a, b;
  while (true) {
    const bool has_left = static_cast<bool>(std::getline(left, a));
    const bool has_right = static_cast<bool>(std::getline(right, b));
    if (!has_left && !has_right) return "";
    if (!has_left) a = "nothing";
    if (!has_right) b = "nothing";
    if (a != b) return "there " + a + ", here " + b;
  }
}

std::string all_differences(const std::string& theirs, const std::string& ours) {
  std::string result;
  const auto add = [&](const std::string& side, const std::string& text, const std::string& other) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
      if (("\n" + other).find("\n" + line + "\n") == std::string::npos)
        result += "  " + side + " " + line + "\n";
  };
  add("there", theirs, ours);
  add("here ", ours, theirs);
  if (!result.empty()) result.pop_back();
  return result;
}

}  // namespace lockstep
