// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <sstream>

#include "core/suggest.h"
#include "lockstep/core/error.h"

namespace lockstep {
namespace {

namespace po = boost::program_options;

std::vector<Flag> all_flags(const CommandSyntax& syntax) {
  std::vector<Flag> flags = syntax.flags;
  if (syntax.takes_options) {
    flags.push_back({"config", "FILE", "TOML file with options; of several the later wins", 'c', true});
    flags.push_back({"set", "KEY=VALUE", "sets one option; --KEY VALUE does the same", 0, true});
  }
  flags.push_back({"help", "", "shows this", 'h'});
  return flags;
}

po::options_description describe(const std::vector<Flag>& flags) {
  constexpr unsigned kWidth = 110;
  po::options_description description("", kWidth, kWidth / 2);
  for (const Flag& flag : flags) {
    const std::string names = flag.letter == 0 ? flag.name : flag.name + "," + flag.letter;
    if (flag.value.empty())
      description.add_options()(names.c_str(), flag.help.c_str());
    else
      description.add_options()(names.c_str(), po::value<std::string>()->value_name(flag.value),
                                flag.help.c_str());
  }
  return description;
}

[[noreturn]] void fail(const CommandSyntax& syntax, const std::string& message) {
  throw Error(ExitCode::kUsage, message + "; see `lockstep " + syntax.name + " --help`");
}

std::string suggest_flag(const CommandSyntax& syntax, const OptionTable& table, const std::string& name) {
  std::vector<std::string> names;
  for (const Flag& flag : all_flags(syntax)) names.push_back(flag.name);
  if (const std::string near = nearest(name, names); !near.empty()) return "; did you mean --" + near + "?";
  if (!syntax.takes_options) return "";
  std::string said = suggest_key(table, name);
  const std::string_view start = "; did you mean ";
  return said.starts_with(start) ? said.insert(start.size(), "--") : said;
}

/// "--data.test=" in two words, since Boost takes no empty value behind the sign.
std::vector<std::string> split_empty_values(const std::vector<std::string>& arguments) {
  std::vector<std::string> words;
  bool are_flags = true;
  for (const std::string& word : arguments) {
    are_flags = are_flags && word != "--";
    const bool is_empty_value = are_flags && word.starts_with("--") && word.find('=') == word.size() - 1;
    words.push_back(is_empty_value ? word.substr(0, word.size() - 1) : word);
    if (is_empty_value) words.emplace_back();
  }
  return words;
}

std::vector<po::option> parse(const CommandSyntax& syntax, const OptionTable& table,
                              const std::vector<std::string>& arguments) {
  using namespace po::command_line_style;
  po::options_description description = describe(all_flags(syntax));
  if (syntax.takes_options)
    for (const OptionSpec& spec : table.specs())
      description.add_options()(spec.key.c_str(), po::value<std::string>(), "");
  const auto style = static_cast<style_t>(unix_style & ~allow_guessing);
  const po::positional_options_description any = po::positional_options_description().add("argument", -1);
  try {
    return po::command_line_parser(split_empty_values(arguments))
        .options(description)
        .positional(any)
        .style(style)
        .run()
        .options;
  } catch (const po::unknown_option& error) {
    const std::string whole = error.get_option_name(), name = whole.substr(0, whole.find('='));
    fail(syntax,
         "unknown flag " + name + suggest_flag(syntax, table, name.substr(name.find_first_not_of('-'))));
  } catch (const po::error& error) {
    fail(syntax, error.what());
  }
}

void check_count(const CommandSyntax& syntax, std::size_t count, const std::vector<std::string>& positional) {
  if (count < syntax.fewest) fail(syntax, "`lockstep " + syntax.name + "` needs " + syntax.positional);
  if (count <= syntax.most) return;
  const std::string& surplus = positional[syntax.most];
  const bool is_config = syntax.takes_options && surplus.ends_with(".toml");
  fail(syntax, "unexpected argument " + surplus + (is_config ? "; did you mean -c " + surplus + "?" : ""));
}

}  // namespace

CommandLine::CommandLine(const CommandSyntax& syntax, const OptionTable& table,
                         const std::vector<std::string>& arguments) {
  const std::vector<Flag> flags = all_flags(syntax);
  for (const po::option& option : parse(syntax, table, arguments)) {
    const std::string& key = option.string_key;
    const std::string value = option.value.empty() ? "" : option.value[0];
    const auto flag =
        std::find_if(flags.begin(), flags.end(), [&](const Flag& one) { return one.name == key; });
    if (option.position_key >= 0) {
      positional_.push_back(value);
    } else if (flag == flags.end()) {
      config_.sets.push_back("--" + key + "=" + value);
    } else {
      if (!flag->may_repeat && has(key)) fail(syntax, "--" + key + " stands twice");
      values_[key].push_back(value);
      if (syntax.takes_options && key == "config") config_.files.push_back(value);
      if (syntax.takes_options && key == "set") config_.sets.push_back(value);
    }
  }
  if (!wants_help()) check_count(syntax, positional_.size(), positional_);
}

std::string CommandLine::text(std::string_view flag, std::string_view fallback) const {
  const auto found = values_.find(flag);
  return found == values_.end() ? std::string(fallback) : found->second.back();
}

std::int64_t CommandLine::integer(std::string_view flag, std::int64_t fallback, std::int64_t minimum) const {
  if (!has(flag)) return fallback;
  const std::string word = text(flag);
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || stop != word.data() + word.size() || value < minimum)
    throw Error(ExitCode::kUsage, "--" + std::string(flag) + " is " + word +
                                      "; expected an integer of at least " + std::to_string(minimum));
  return value;
}

std::vector<std::string> CommandLine::texts(std::string_view flag) const {
  const auto found = values_.find(flag);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

std::string usage(const CommandSyntax& syntax, const std::string& summary) {
  std::ostringstream text;
  text << "usage: lockstep " << syntax.name << (syntax.positional.empty() ? "" : " ") << syntax.positional
       << " [flags]\n"
       << summary << "\n"
       << describe(all_flags(syntax));
  if (syntax.takes_options)
    text << "`lockstep config explain` lists all option keys, `config explain KEY` one.\n";
  return text.str();
}

}  // namespace lockstep
