// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "core/config.h"
#include "core/config_identity.h"
#include "core/option_text.h"
#include "core/setting.h"
#include "core/suggest.h"
#include "lockstep/core/error.h"

namespace lockstep {
namespace {

std::string table_name(const std::string& key) {
  const std::size_t dot = key.find('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

/// Tables in order of declaration; keys without a table must come first in TOML.
std::vector<std::string> table_names(const OptionTable& table) {
  std::vector<std::string> names = {""};
  for (const OptionSpec& spec : table.specs()) {
    std::string name = table_name(spec.key);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

std::string names_elsewhere(const std::string& key) {
  std::string lines;
  for (const NeighbourName& neighbour : neighbour_names()) {
    if (neighbour.key != key) continue;
    lines += "    " + std::string(neighbour.name == "c" ? "C" : neighbour.name);
    if (!neighbour.library.empty()) lines += " (" + std::string(neighbour.library) + ")";
    if (!neighbour.note.empty()) lines += ": " + std::string(neighbour.note);
    lines += "\n";
  }
  return lines.empty() ? "" : "  known elsewhere as\n" + lines;
}

std::string indented(const std::string& text) {
  std::string result = "  ";
  for (const char c : text) result += c == '\n' ? "\n  " : std::string(1, c);
  return result;
}

}  // namespace

std::string to_toml(const Options& options, bool with_origin) {
  std::string text;
  for (const std::string& name : table_names(options.table())) {
    std::string lines;
    for (const OptionSpec& spec : options.table().specs()) {
      if (table_name(spec.key) != name || !applies(options, spec)) continue;
      lines += (name.empty() ? spec.key : spec.key.substr(name.size() + 1)) + " = ";
      lines += to_literal(options.value(spec.key));
      if (with_origin) lines += "  # " + options.origin(spec.key);
      lines += "\n";
    }
    if (lines.empty()) continue;
    if (!text.empty()) text += "\n";
    text += (name.empty() ? "" : "[" + name + "]\n") + lines;
  }
  return text;
}

std::string explain(const OptionTable& table, const std::string& key) {
  const OptionSpec* spec = table.find(key);
  if (spec == nullptr) throw_unknown_key(table, key, "config explain");
  std::string text = key + " = " + to_literal(spec->default_value) + "\n" + indented(spec->help) + "\n";
  text += "  takes      " + expectation(*spec) + "\n";
  text += "  read by    ";
  text += spec->owners.empty() ? "every run" : join(spec->owners) + " (chosen by " + spec->selector + ")";
  text += "\n  on resume  ";
  text += determines_model(key) ? "must stay the same: it determines the model" : "may change";
  text += "\n  also       --set " + key + "=…, " + environment_name(key) + "\n";
  return text + names_elsewhere(key);
}

}  // namespace lockstep
