// SPDX-License-Identifier: Apache-2.0
#include "train/compare_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <sstream>

#include "core/config_identity.h"
#include "core/json.h"
#include "lockstep/core/error.h"
#include "train/load_model.h"

namespace lockstep {

namespace {

std::string compare_values(const TensorData& a, const TensorData& b) {
  std::size_t count = 0;
  double largest = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    if (std::bit_cast<std::uint32_t>(a.values[i]) == std::bit_cast<std::uint32_t>(b.values[i])) continue;
    ++count;
    const double distance = std::abs(static_cast<double>(a.values[i]) - static_cast<double>(b.values[i]));
    if (!(distance <= largest)) largest = distance;  // a NaN is kept
    if (std::isnan(distance)) break;
  }
  if (count == 0) return "";
  return fmt::format("{}: {} of {} elements differ, by {:.3g} at most", a.name, count, a.values.size(),
                     largest);
}

void compare_tensors(const TensorFile& a, const TensorFile& b, std::vector<std::string>* lines) {
  for (const TensorData& tensor : a.tensors) {
    const TensorData* other = b.find(tensor.name);
    if (other == nullptr)
      lines->push_back(tensor.name + ": only in the first");
    else if (other->shape != tensor.shape)
      lines->push_back(tensor.name + ": of different shape");
    else if (const std::string line = compare_values(tensor, *other); !line.empty())
      lines->push_back(line);
  }
  for (const TensorData& tensor : b.tensors)
    if (a.find(tensor.name) == nullptr) lines->push_back(tensor.name + ": only in the second");
}

std::string metadata(const TensorFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? "" : found->second;
}

void compare_json(const TensorFile& a, const TensorFile& b, const std::string& key,
                  std::vector<std::string>* lines) {
  const Json left = Json::parse(metadata(a, key), nullptr, false);
  const Json right = Json::parse(metadata(b, key), nullptr, false);
  if (!left.is_object() || !right.is_object()) return;
  std::set<std::string> names;
  for (const Json* side : {&left, &right})
    for (const auto& [name, value] : side->items()) names.insert(name);
  for (const std::string& name : names) {
    if (name == "train_s" || name == "canonical_config") continue;
    const Json none, l = left.value(name, none), r = right.value(name, none);
    constexpr std::size_t kShown = 60;
    if (l != r)
      lines->push_back(
          fmt::format("{} {}: {} -> {}", key, name, l.dump().substr(0, kShown), r.dump().substr(0, kShown)));
  }
}

void compare_configs(const OptionTable& table, const TensorFile& a, const TensorFile& b,
                     std::vector<std::string>* lines) {
  const Options left = read_config_text(table, metadata(a, "config"));
  const Options right = read_config_text(table, metadata(b, "config"));
  std::set<std::string> of_left, of_right;
  const auto split = [](const std::string& text, std::set<std::string>* out) {
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) out->insert(line);
  };
  split(canonical_config(left), &of_left);
  split(canonical_config(right), &of_right);
  for (const std::string& line : of_left)
    if (!of_right.contains(line)) lines->push_back("config, first: " + line);
  for (const std::string& line : of_right)
    if (!of_left.contains(line)) lines->push_back("config, second: " + line);
}

}  // namespace

std::vector<std::string> differences(const OptionTable& table, const TensorFile& a, const TensorFile& b) {
  std::vector<std::string> lines;
  if (metadata(a, "format") != metadata(b, "format"))
    lines.push_back("format: " + metadata(a, "format") + " -> " + metadata(b, "format"));
  compare_tensors(a, b, &lines);
  compare_json(a, b, "state", &lines);
  compare_json(a, b, "schema", &lines);
  compare_configs(table, a, b, &lines);
  return lines;
}

}  // namespace lockstep
