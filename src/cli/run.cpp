// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>

#include "cli/commands.h"
#include "cli/option_table.h"
#include "cli/ranks.h"
#include "core/caught_error.h"
#include "core/floating_point.h"
#include "core/printable.h"
#include "core/suggest.h"
#include "lockstep/core/error.h"
#include "lockstep/run.h"

namespace lockstep {
namespace {

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

std::string program_usage() {
  std::string text = "usage: lockstep SUBCOMMAND [arguments]\n\n";
  for (const Command& command : commands()) {
    std::string name = command.syntax.name;
    name.resize(std::max<std::size_t>(name.size(), 18), ' ');
    text += "  " + name + " " + command.summary + "\n";
  }
  return text + "\n`lockstep SUBCOMMAND --help` tells more; `lockstep --version` the version.\n";
}

[[noreturn]] void throw_unknown_command(const std::vector<std::string>& words) {
  std::vector<std::string> names, members;
  for (const Command& command : commands()) {
    names.push_back(command.syntax.name);
    names.push_back(command.syntax.name.substr(0, command.syntax.name.find(' ')));
    if (command.syntax.name.starts_with(words[0] + " ")) members.push_back(command.syntax.name);
  }
  std::string near = words.size() > 1 ? nearest(words[0] + " " + words[1], names) : "";
  if (near.empty()) near = nearest(words[0], names);
  const bool is_group = !members.empty() && near == words[0];
  std::string message = is_group ? words[0] + " needs a second word" : "unknown subcommand " + words[0];
  if (is_group)
    for (const std::string& member : members) message += (member == members[0] ? ": " : ", ") + member;
  else if (!near.empty())
    message += "; did you mean " + near + "?";
  throw Error(ExitCode::kUsage, message + "; see `lockstep --help`");
}

std::size_t words_of(const Command& command) {
  return command.syntax.name.find(' ') == std::string::npos ? 1 : 2;
}

/// The row of "train" or "config show".
std::optional<Command> find_command(const std::vector<std::string>& arguments) {
  for (const Command& command : commands()) {
    if (arguments.size() < words_of(command)) continue;
    const std::string said = words_of(command) == 1 ? arguments[0] : arguments[0] + " " + arguments[1];
    if (said == command.syntax.name) return command;
  }
  return {};
}

int run_command(const std::vector<std::string>& whole, const Plugins& plugins) {
  std::vector<std::string> arguments(whole.begin() + 1, whole.end());
  if (arguments.empty()) throw Error(ExitCode::kUsage, "no subcommand given; see `lockstep --help`");
  if (arguments[0] == "--version") return print("lockstep " LOCKSTEP_VERSION " (" LOCKSTEP_ARCH ")\n"), 0;
  if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help")
    return print(program_usage()), 0;
  const std::optional<Command> found = find_command(arguments);
  if (!found) throw_unknown_command(arguments);
  const Command& command = *found;
  arguments.erase(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(words_of(command)));
  const OptionTable table = all_options(plugins);
  const CommandLine line(command.syntax, table, arguments);
  if (line.wants_help()) return print(usage(command.syntax, command.summary)), 0;
  return command.run({line, plugins, table, whole});
}

/// Whether other ranks of the job can be met: a command with -n is made for that, and a study in a job, one
/// that is not known is known to none.
bool meets_others(const std::vector<std::string>& whole) {
  const std::optional<Command> command = find_command({whole.begin() + 1, whole.end()});
  if (!command) return true;
  const std::vector<Flag>& flags = command->syntax.flags;
  return command->syntax.name == "study" ||
         std::any_of(flags.begin(), flags.end(), [](const Flag& flag) { return flag.letter == 'n'; });
}

int run_as_one_of_all(const std::vector<std::string>& whole, const Plugins& plugins) {
  try {
    return run_command(whole, plugins);
  } catch (...) {
    if (!meets_others(whole)) throw;
    if (const std::optional<int> code = fail_with_all_ranks(std::current_exception())) return *code;
    throw;
  }
}

int report(ExitCode code, const char* message) {
  std::fprintf(stderr, "lockstep: %s\n", printable(message).c_str());
  return static_cast<int>(code);
}

}  // namespace

// The one place where errors are caught, for programs with plug-ins of their own too.
int run(int argc, char** argv, const Plugins& plugins) {
  set_floating_point_mode();
  try {
    const int code = run_as_one_of_all({argv, argv + argc}, plugins);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      throw Error(ExitCode::kOutput, std::string("cannot write to standard output: ") + std::strerror(errno));
    return code;
  } catch (const std::exception&) {
    const Error error = caught_error(std::current_exception());
    return report(error.code(), error.what());
  }
}

}  // namespace lockstep
