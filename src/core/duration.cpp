// SPDX-License-Identifier: Apache-2.0
#include "core/duration.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "lockstep/core/error.h"

namespace lockstep {
namespace {

struct Quantity {
  double count = 0;
  std::string_view unit;
};

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<Quantity> split(std::string_view text) {
  text = trim(text);
  Quantity quantity;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), quantity.count);
  if (error != std::errc() || !std::isfinite(quantity.count) || quantity.count < 0) return std::nullopt;
  quantity.unit = trim(text.substr(static_cast<std::size_t>(rest - text.data())));
  return quantity;
}

std::optional<double> seconds_per(std::string_view unit) {
  if (unit == "ms") return 1e-3;
  if (unit == "s") return 1;
  if (unit == "min") return 60;
  if (unit == "h") return 3600;
  return std::nullopt;
}

[[noreturn]] void refuse(std::string_view text, std::string_view key, const std::string& expected) {
  const std::string prefix = key.empty() ? "" : std::string(key) + ": ";
  throw Error(ExitCode::kConfig, prefix + "\"" + std::string(text) + "\" is not " + expected);
}

}  // namespace

Index parse_length(std::string_view text, Index steps_per_epoch, std::string_view key) {
  constexpr const char* kExpected =
      "a length: expected a number with its unit, as in \"300 steps\" or \"2 epochs\"";
  constexpr double kLargest = 1e15;
  const auto quantity = split(text);
  if (!quantity) refuse(text, key, kExpected);
  const auto [count, unit] = *quantity;
  if (unit == "steps" || unit == "step") {
    if (count != std::floor(count)) refuse(text, key, "a length: expected a whole number of steps");
    if (count > kLargest) refuse(text, key, "a length: expected at most 1e15 steps");
    return static_cast<Index>(count);
  }
  if (unit != "epochs" && unit != "epoch") refuse(text, key, kExpected);
  const double steps = count * static_cast<double>(steps_per_epoch);
  if (steps > kLargest) refuse(text, key, "a length: expected at most 1e15 steps");
  return std::llround(steps);
}

double parse_seconds(std::string_view text, std::string_view key) {
  const auto quantity = split(text);
  const auto factor = quantity ? seconds_per(quantity->unit) : std::nullopt;
  if (!factor)
    refuse(text, key,
           "a time: expected a number with its unit, as in \"30s\", \"10min\", \"2h\" or \"500ms\"");
  return quantity->count * *factor;
}

bool is_time(std::string_view text) {
  const auto quantity = split(text);
  return quantity && seconds_per(quantity->unit).has_value();
}

}  // namespace lockstep
