// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace [[gnu::visibility("default")]] lockstep {

using OptionValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                                 std::vector<double>, std::vector<std::string>>;

/// The declaration of one option. Its type is the type of its default.
struct OptionSpec {
  std::string key;  ///< dotted: "optim.beta1"
  OptionValue default_value;
  std::string help;
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;  ///< of a text; empty: any
  /// The plug-ins that read this key, as values of `selector`; empty: every run reads it.
  std::string selector;
  std::vector<std::string> owners;

  OptionSpec& range(double low, double high = std::numeric_limits<double>::infinity()) {
    minimum = low;
    maximum = high;
    return *this;
  }
  OptionSpec& one_of(std::vector<std::string> values) {
    choices = std::move(values);
    return *this;
  }
};

/// All options there are, in order of declaration. It feeds file, flags, environment, help, the resolved
/// config and its documentation. Copies share the declarations until one of them declares more.
class OptionTable {
 public:
  OptionSpec& flag(std::string key, bool fallback, std::string help);
  OptionSpec& integer(std::string key, std::int64_t fallback, std::string help);
  OptionSpec& real(std::string key, double fallback, std::string help);
  OptionSpec& text(std::string key, std::string fallback, std::string help);
  OptionSpec& integers(std::string key, std::vector<std::int64_t> fallback, std::string help);
  OptionSpec& reals(std::string key, std::vector<double> fallback, std::string help);
  OptionSpec& texts(std::string key, std::vector<std::string> fallback, std::string help);

  /// Between these two calls every declared key belongs to the plug-in `owner`, chosen by `selector`
  /// ("optim.name"). Two plug-ins may declare the same key if type, default and help agree.
  void begin_owner(std::string selector, std::string owner);
  void end_owner();

  const std::vector<OptionSpec>& specs() const { return declared_->specs; }
  const OptionSpec* find(std::string_view key) const;

 private:
  struct Declared {
    std::vector<OptionSpec> specs;
    std::map<std::string, std::size_t, std::less<>> places;  // in specs, by key
  };
  OptionSpec& declare(OptionSpec spec);

  std::shared_ptr<Declared> declared_ = std::make_shared<Declared>();
  std::string selector_;
  std::string owner_;
};

/// The resolved values of one run. Reading a key that was never declared is an internal error.
class Options {
 public:
  explicit Options(OptionTable table);

  bool flag(std::string_view key) const;
  std::int64_t integer(std::string_view key) const;
  double real(std::string_view key) const;
  const std::string& text(std::string_view key) const;
  const std::vector<std::int64_t>& integers(std::string_view key) const;
  const std::vector<double>& reals(std::string_view key) const;
  const std::vector<std::string>& texts(std::string_view key) const;

  /// Stores a value of the declared type. `origin` says where it came from: "run.toml:3:8", "--set",
  /// "default".
  void set(std::string_view key, OptionValue value, std::string origin);
  const OptionValue& value(std::string_view key) const;
  const std::string& origin(std::string_view key) const;
  bool is_default(std::string_view key) const { return origin(key) == "default"; }

  const OptionTable& table() const { return table_; }

 private:
  struct Entry {
    OptionValue value;
    std::string origin;
  };
  const OptionSpec& spec(std::string_view key) const;

  OptionTable table_;
  std::map<std::string, Entry, std::less<>> entries_;  // of what was set
};

}  // namespace lockstep
