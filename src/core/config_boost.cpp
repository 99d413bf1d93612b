// SPDX-License-Identifier: Apache-2.0
#include <boost/program_options.hpp>
#include <map>
#include <memory>
#include <sstream>

#include "core/config.h"
#include "core/option_text.h"
#include "core/setting.h"
#include "core/suggest.h"
#include "lockstep/core/error.h"

namespace lockstep {
namespace {

namespace po = boost::program_options;

[[noreturn]] void throw_not_allowed(const OptionSpec& spec, const std::vector<std::string>& words,
                                    const std::string& origin) {
  const bool is_text = std::holds_alternative<std::string>(spec.default_value);
  std::string message = origin + ": " + spec.key + " is ";
  if (is_list(spec.default_value))
    message += "[" + join(words) + "]";
  else
    message += is_text || words[0].empty() ? to_literal(OptionValue(words[0])) : words[0];
  message += "; expected " + expectation(spec);
  for (const std::string& word : words)
    if (const std::string near = nearest(word, spec.choices); !near.empty() && near != word)
      message += "; did you mean " + near + "?";
  throw Error(ExitCode::kConfig, message);
}

/// One of our typed options as Boost.Program_options sees it. Its own validators would take "-1" for an
/// unsigned number and name neither file nor line.
class OptionSemantic final : public po::value_semantic {
 public:
  /// `setting` is the one being stored; options may be null where only documentation is wanted.
  OptionSemantic(const OptionSpec& spec, const Setting& setting, Options* options)
      : spec_(spec), setting_(setting), options_(options) {}

  std::string name() const override { return "(=" + to_literal(spec_.default_value) + ")"; }
  unsigned min_tokens() const override { return is_list(spec_.default_value) ? 0 : 1; }
  unsigned max_tokens() const override { return is_list(spec_.default_value) ? 32000 : 1; }
  bool is_composing() const override { return false; }
  bool is_required() const override { return false; }
  bool apply_default(boost::any&) const override { return false; }

  void parse(boost::any& store, const std::vector<std::string>& words, bool /*utf8*/) const override {
    OptionValue value;
    if (!parse_words(spec_, words, &value) || !is_allowed(spec_, value))
      throw_not_allowed(spec_, words, setting_.origin);
    store = std::move(value);
  }

  void notify(const boost::any& store) const override {
    options_->set(spec_.key, boost::any_cast<const OptionValue&>(store), setting_.origin);
  }

 private:
  const OptionSpec& spec_;
  const Setting& setting_;
  Options* options_;
};

void describe(const OptionSpec& spec, const std::string& help, const Setting& setting, Options* options,
              po::options_description* description) {
  auto semantic = std::make_unique<OptionSemantic>(spec, setting, options);
  description->add_options()(spec.key.c_str(), semantic.release(), help.c_str());  // Boost owns it now
}

std::string table_name(const OptionSpec& spec) {
  return spec.key.substr(0, spec.key.find('.'));
}

std::string short_help(const OptionSpec& spec) {
  return spec.help.substr(0, spec.help.find('\n')) + " [" + expectation(spec) + "]";
}

}  // namespace

void apply_settings(const std::vector<Setting>& settings, Options* options) {
  // One by one, so that a wrong value is found even where a later one replaces it.
  for (const Setting& setting : settings) {
    const OptionSpec* const spec = options->table().find(setting.key);
    if (spec == nullptr) throw_unknown_key(options->table(), setting.key, setting.origin);
    po::options_description description;
    describe(*spec, spec->help, setting, options, &description);
    po::parsed_options parsed(&description);
    parsed.options.emplace_back(setting.key, setting.words);
    po::variables_map values;
    po::store(parsed, values);
    po::notify(values);
  }
}

std::string list_options(const OptionTable& table, std::string_view prefix) {
  constexpr unsigned kWidth = 110;
  const Setting none;
  std::vector<std::string> order;
  std::map<std::string, po::options_description> groups;
  for (const OptionSpec& spec : table.specs()) {
    if (!spec.key.starts_with(prefix)) continue;
    const std::string name = table_name(spec);
    const auto [group, is_new] = groups.try_emplace(name, "[" + name + "]", kWidth, kWidth / 2);
    if (is_new) order.push_back(name);
    describe(spec, short_help(spec), none, nullptr, &group->second);
  }
  std::ostringstream text;
  for (const std::string& name : order) text << (name == order[0] ? "" : "\n") << groups.at(name);
  return text.str();
}

}  // namespace lockstep
