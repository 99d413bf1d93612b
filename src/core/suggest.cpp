// SPDX-License-Identifier: Apache-2.0
#include "core/suggest.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace lockstep {
namespace {

std::string_view last_part(std::string_view key) {
  return key.substr(key.rfind('.') + 1);
}

std::string normalized(std::string_view word) {
  std::string result(word);
  for (char& c : result) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// Optimal string alignment distance, three rows of the table at a time. O(|a|·|b|).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitution = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, substitution});
      const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

std::string did_you_mean(const std::string& key) {
  return "; did you mean " + key + "?";
}

}  // namespace

std::string suggest_neighbour(const OptionTable& table, std::string_view unknown) {
  const std::string name = normalized(unknown);
  const std::string_view last = last_part(name);
  std::string keys;
  for (const NeighbourName& neighbour : neighbour_names()) {
    if (neighbour.name != last) continue;
    if (neighbour.key.empty()) return "; " + std::string(neighbour.note);
    if (neighbour.key == name || table.find(neighbour.key) == nullptr) continue;
    keys += (keys.empty() ? "" : " or ") + std::string(neighbour.key);
    if (!neighbour.note.empty()) keys += " (" + std::string(neighbour.note) + ")";
  }
  return keys.empty() ? "" : did_you_mean(keys);
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 100;  // the distance is quadratic, and nothing of ours is as long
  if (word.size() > kLongest) return "";
  const std::string name = normalized(word);
  std::size_t smallest = 1 + std::max<std::size_t>(1, word.size() / 4);
  std::string best;
  for (const std::string& candidate : known) {
    const auto [shorter, longer] = std::minmax({name.size(), candidate.size()});
    if (longer - shorter >= smallest) continue;  // and so is the distance
    const std::size_t distance = edit_distance(name, normalized(candidate));
    if (distance >= smallest) continue;
    smallest = distance;
    best = candidate;
  }
  return best;
}

std::string suggest_key(const OptionTable& table, std::string_view unknown) {
  const std::string name = normalized(unknown);
  std::vector<std::string> keys, last_parts;
  for (const OptionSpec& spec : table.specs()) {
    keys.push_back(spec.key);
    last_parts.emplace_back(last_part(spec.key));
  }
  const auto key_with_last_part = [&](const std::string& part) {
    const auto found = std::find(last_parts.begin(), last_parts.end(), part);
    return found == last_parts.end() ? std::string()
                                     : keys[static_cast<std::size_t>(found - last_parts.begin())];
  };

  // A name that is known elsewhere is no typing error: optim.lr is not optim.l2.
  if (std::string said = suggest_neighbour(table, name); !said.empty()) return said;
  const std::string part(last_part(name));
  if (const std::string key = key_with_last_part(part); !key.empty()) return did_you_mean(key);
  if (const std::string near = nearest(name, keys); !near.empty()) return did_you_mean(near);
  if (const std::string near = nearest(part, last_parts); !near.empty())
    return did_you_mean(key_with_last_part(near));
  const std::string parent = name.substr(0, name.rfind('.'));  // "optim.name" of "optim.name.x"
  return table.find(parent) == nullptr ? "" : did_you_mean(parent);
}

}  // namespace lockstep
