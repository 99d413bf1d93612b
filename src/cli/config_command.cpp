// SPDX-License-Identifier: Apache-2.0
#include "cli/config_command.h"

#include <cstdio>

#include "core/config_identity.h"
#include "core/option_text.h"
#include "train/check_values.h"

namespace lockstep {
namespace {

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

/// Files may be given with and without -c.
ConfigRequest request_of(const CommandContext& context) {
  ConfigRequest request = context.line.config();
  const std::vector<std::string>& more = context.line.positional();
  request.files.insert(request.files.end(), more.begin(), more.end());
  return request;
}

/// Files without -c are each a config of their own, on top of those with -c.
int check(const CommandContext& context) {
  const ConfigRequest& base = context.line.config();
  std::vector<std::string> files = context.line.positional();
  if (files.empty()) {
    check_values(resolve_config(context.table, base), context.plugins);
    for (const std::string& file : base.files) print(file + ": ok\n");
    if (base.files.empty()) print("no file, environment and flags: ok\n");
  }
  for (const std::string& file : files) {
    ConfigRequest request = base;
    request.files.push_back(file);
    check_values(resolve_config(context.table, request), context.plugins);
    print(file + ": ok\n");
  }
  return 0;
}

int show(const CommandContext& context) {
  print(to_toml(resolve_config(context.table, request_of(context)), context.line.has("origin")));
  return 0;
}

int explain_keys(const CommandContext& context) {
  const std::vector<std::string>& keys = context.line.positional();
  if (keys.empty()) print(list_options(context.table));
  for (const std::string& key : keys) {
    const std::string list = context.table.find(key) == nullptr ? list_options(context.table, key + ".") : "";
    print(list.empty() ? explain(context.table, key) : list);
  }
  return 0;
}

std::string value_text(const Options& options, const OptionSpec& spec) {
  return applies(options, spec) ? to_literal(options.value(spec.key)) : "(not read)";
}

int diff(const CommandContext& context) {
  std::vector<Options> sides;
  for (const std::string& file : context.line.positional()) {
    ConfigRequest request = context.line.config();
    request.files.push_back(file);
    sides.push_back(resolve_config(context.table, request));
  }
  for (const OptionSpec& spec : context.table.specs()) {
    const std::string left = value_text(sides[0], spec), right = value_text(sides[1], spec);
    if (left != right) print(spec.key + ": " + left + " -> " + right + "\n");
  }
  const bool is_same_model = canonical_config(sides[0]) == canonical_config(sides[1]);
  print(is_same_model ? "the same model from the same data\n" : "another model\n");
  return 0;
}

constexpr std::size_t kAny = 1000;

}  // namespace

void add_config_commands(std::vector<Command>* rows) {
  rows->push_back({{"config check", "[FILE...]", 0, kAny, true, {}}, "Checks config files.", check});
  rows->push_back(
      {{"config show", "[FILE...]", 0, kAny, true, {{"origin", "", "adds where each value comes from"}}},
       "Prints the resolved config.",
       show});
  rows->push_back({{"config explain", "[KEY...]", 0, kAny, false, {}},
                   "Explains an option key, or lists a table or all of them.",
                   explain_keys});
  rows->push_back(
      {{"config diff", "FILE FILE", 2, 2, true, {}}, "Prints the keys in which two configs differ.", diff});
}

}  // namespace lockstep
