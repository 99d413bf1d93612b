// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint_name.h"

#include <fmt/format.h>

#include <charconv>

namespace lockstep {

namespace {

// The number at the start of `text`, behind `prefix`; both are taken off.
template <class Integer>
bool take(std::string_view& text, std::string_view prefix, Integer& value) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::string CheckpointName::text() const {
  return fmt::format("step-{:012}-g{:04}", step, generation);
}

std::optional<CheckpointName> CheckpointName::parse(std::string_view text) {
  CheckpointName name;
  std::string_view rest = text;
  if (!take(rest, "step-", name.step) || !take(rest, "-g", name.generation) || name.text() != text)
    return std::nullopt;
  return name;
}

}  // namespace lockstep
