// SPDX-License-Identifier: Apache-2.0
#include "lockstep/core/options.h"

#include "lockstep/core/error.h"

namespace lockstep {

OptionSpec& OptionTable::declare(OptionSpec spec) {
  if (declared_.use_count() > 1) declared_ = std::make_shared<Declared>(*declared_);
  std::vector<OptionSpec>& specs = declared_->specs;
  const auto [place, is_new] = declared_->places.try_emplace(spec.key, specs.size());
  if (!is_new) {
    OptionSpec& known = specs[place->second];
    if (owner_.empty() || known.owners.empty() || known.default_value != spec.default_value ||
        known.help != spec.help || known.selector != selector_)
      throw Error(ExitCode::kInternal, "option " + spec.key + " is declared twice with different meanings");
    known.owners.push_back(owner_);
    return known;
  }
  if (!owner_.empty()) {
    spec.selector = selector_;
    spec.owners = {owner_};
  }
  return specs.emplace_back(std::move(spec));
}

OptionSpec& OptionTable::flag(std::string key, bool fallback, std::string help) {
  return declare({std::move(key), fallback, std::move(help)});
}
OptionSpec& OptionTable::integer(std::string key, std::int64_t fallback, std::string help) {
  return declare({std::move(key), fallback, std::move(help)});
}
OptionSpec& OptionTable::real(std::string key, double fallback, std::string help) {
  return declare({std::move(key), fallback, std::move(help)});
}
OptionSpec& OptionTable::text(std::string key, std::string fallback, std::string help) {
  return declare({std::move(key), std::move(fallback), std::move(help)});
}
OptionSpec& OptionTable::integers(std::string key, std::vector<std::int64_t> fallback, std::string help) {
  return declare({std::move(key), std::move(fallback), std::move(help)});
}
OptionSpec& OptionTable::reals(std::string key, std::vector<double> fallback, std::string help) {
  return declare({std::move(key), std::move(fallback), std::move(help)});
}
OptionSpec& OptionTable::texts(std::string key, std::vector<std::string> fallback, std::string help) {
  return declare({std::move(key), std::move(fallback), std::move(help)});
}

void OptionTable::begin_owner(std::string selector, std::string owner) {
  selector_ = std::move(selector);
  owner_ = std::move(owner);
}

void OptionTable::end_owner() {
  selector_.clear();
  owner_.clear();
}

const OptionSpec* OptionTable::find(std::string_view key) const {
  const auto place = declared_->places.find(key);
  return place == declared_->places.end() ? nullptr : &declared_->specs[place->second];
}

Options::Options(OptionTable table) : table_(std::move(table)) {}

const OptionSpec& Options::spec(std::string_view key) const {
  const OptionSpec* const found = table_.find(key);
  if (found == nullptr)
    throw Error(ExitCode::kInternal, "option " + std::string(key) + " was never declared");
  return *found;
}

void Options::set(std::string_view key, OptionValue value, std::string origin) {
  if (spec(key).default_value.index() != value.index())
    throw Error(ExitCode::kInternal, "option " + std::string(key) + " was given another type");
  entries_.insert_or_assign(std::string(key), Entry{std::move(value), std::move(origin)});
}

const OptionValue& Options::value(std::string_view key) const {
  const auto entry = entries_.find(key);
  return entry == entries_.end() ? spec(key).default_value : entry->second.value;
}
const std::string& Options::origin(std::string_view key) const {
  static const std::string unset = "default";
  const auto entry = entries_.find(key);
  return entry == entries_.end() ? (spec(key), unset) : entry->second.origin;
}

bool Options::flag(std::string_view key) const {
  return std::get<bool>(value(key));
}
std::int64_t Options::integer(std::string_view key) const {
  return std::get<std::int64_t>(value(key));
}
double Options::real(std::string_view key) const {
  return std::get<double>(value(key));
}
const std::string& Options::text(std::string_view key) const {
  return std::get<std::string>(value(key));
}
const std::vector<std::int64_t>& Options::integers(std::string_view key) const {
  return std::get<std::vector<std::int64_t>>(value(key));
}
const std::vector<double>& Options::reals(std::string_view key) const {
  return std::get<std::vector<double>>(value(key));
}
const std::vector<std::string>& Options::texts(std::string_view key) const {
  return std::get<std::vector<std::string>>(value(key));
}

}  // namespace lockstep
