// SPDX-License-Identifier: Apache-2.0
#include "core/config.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "core/option_text.h"
#include "core/setting.h"
#include "core/suggest.h"
#include "lockstep/core/error.h"

namespace lockstep {
namespace {

constexpr std::string_view kEnvironmentPrefix = "LOCKSTEP__";

std::string key_of_environment(std::string_view name) {
  std::string key;
  for (std::size_t i = kEnvironmentPrefix.size(); i < name.size(); ++i) {
    const bool is_dot = name.substr(i).starts_with("__");
    if (is_dot) ++i;
    key += is_dot ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(name[i])));
  }
  return key;
}

Setting setting_from_text(const OptionTable& table, const std::string& key, std::string_view text,
                          const std::string& origin) {
  const OptionSpec* spec = table.find(key);
  if (spec == nullptr) throw_unknown_key(table, key, origin);
  return {key, split_words(*spec, text), origin};
}

std::vector<Setting> read_environment(const OptionTable& table) {
  std::vector<std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    if (std::string_view(*entry).starts_with(kEnvironmentPrefix)) variables.emplace_back(*entry);
  std::sort(variables.begin(), variables.end());  // the same first error every time
  std::vector<Setting> settings;
  for (const std::string& variable : variables) {
    const std::size_t equals = variable.find('=');
    const std::string name = variable.substr(0, equals);
    settings.push_back(setting_from_text(table, key_of_environment(name), variable.substr(equals + 1), name));
  }
  return settings;
}

std::vector<Setting> read_sets(const OptionTable& table, const std::vector<std::string>& sets) {
  std::vector<Setting> settings;
  for (const std::string& set : sets) {
    const bool is_flag = set.starts_with("--");
    const std::string pair = is_flag ? set.substr(2) : set;
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Error(ExitCode::kUsage, "--set " + set + ": expected key=value");
    const std::string key = pair.substr(0, equals);
    settings.push_back(setting_from_text(table, key, std::string_view(pair).substr(equals + 1),
                                         is_flag ? "--" + key : "--set"));
  }
  return settings;
}

/// What the selector of a plug-in's key chooses now; nothing where it leaves the choice to the program.
std::vector<std::string> selected(const Options& options, const OptionSpec& spec) {
  const OptionSpec* selector = options.table().find(spec.selector);
  if (selector == nullptr) return {};
  if (std::holds_alternative<std::vector<std::string>>(selector->default_value))
    return options.texts(spec.selector);
  const std::string& name = options.text(spec.selector);
  return name.empty() || name == "auto" ? std::vector<std::string>{} : std::vector{name};
}

void check_owners(const Options& options) {
  for (const OptionSpec& spec : options.table().specs()) {
    if (options.is_default(spec.key) || applies(options, spec)) continue;
    throw Error(ExitCode::kConfig, options.origin(spec.key) + ": " + spec.key + " belongs to " +
                                       join(spec.owners) + "; " + spec.selector + " is " +
                                       join(selected(options, spec)) +
                                       suggest_neighbour(options.table(), spec.key));
  }
}

}  // namespace

void throw_unknown_key(const OptionTable& table, const std::string& key, const std::string& origin) {
  constexpr std::size_t kShown = 100;
  const std::string shown = key.size() > kShown ? key.substr(0, kShown) + "..." : key;
  throw Error(ExitCode::kConfig, origin + ": unknown key " + shown + suggest_key(table, key));
}

Options resolve_config(const OptionTable& table, const ConfigRequest& request) {
  Options options(table);
  if (!request.text.empty()) apply_settings(parse_toml(table, request.text, "stored config"), &options);
  for (const std::string& file : request.files) {
    std::error_code ignored;
    const bool is_folder = std::filesystem::is_directory(file, ignored);
    apply_settings(
        read_toml(table, is_folder ? (std::filesystem::path(file) / "config.toml").string() : file),
        &options);
  }
  if (request.read_environment) apply_settings(read_environment(table), &options);
  apply_settings(read_sets(table, request.sets), &options);
  check_owners(options);
  return options;
}

bool applies(const Options& options, const OptionSpec& spec) {
  const std::vector<std::string> names = selected(options, spec);
  return spec.owners.empty() || names.empty() ||
         std::find_first_of(names.begin(), names.end(), spec.owners.begin(), spec.owners.end()) !=
             names.end();
}

std::string environment_name(std::string_view key) {
  std::string name(kEnvironmentPrefix);
  for (const char c : key) {
    if (c == '.')
      name += "__";
    else
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

}  // namespace lockstep
