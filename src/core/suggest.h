// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/core/options.h"

namespace lockstep {

/// What another library calls the thing a key of ours sets.
struct NeighbourName {
  std::string_view name;     ///< last part, lower case, with underscores: "weight_decay"
  std::string_view key;      ///< ours; empty: no key does this, the note says what does
  std::string_view library;  ///< whose name it is; empty: of several
  std::string_view note;     ///< how to convert
};

/// All names of neighbours, several rows for a name with several meanings.
std::span<const NeighbourName> neighbour_names();

/// The known word nearest to `word` by edit distance (insertions, deletions, substitutions and swaps of
/// neighbours); empty if none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

/// "; did you mean optim.l2 (l2 = alpha)?" where the last part of `key` is a neighbour's name, or "".
std::string suggest_neighbour(const OptionTable& table, std::string_view key);

/// "; did you mean optim.learning_rate?" for a key that is not in the table, or "". Knows typing errors, keys
/// in the wrong table and names of neighbours.
std::string suggest_key(const OptionTable& table, std::string_view unknown);

}  // namespace lockstep
