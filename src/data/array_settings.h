// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lockstep/core/options.h"

namespace lockstep {

/// The options of formats that hold arrays of rows.
struct ArraySettings {
  explicit ArraySettings(const Options& options)
      : labels(options.text("data.labels")),
        label(options.text("data.label")),
        weight(options.text("data.weight")),
        skips_bad_rows(options.text("data.on_bad_row") == "skip") {}

  std::string labels;   ///< a file of labels; empty: none was named
  std::string label;    ///< the column, where labels are no array of their own; empty: the last
  std::string weight;   ///< the column; empty: none
  bool skips_bad_rows;  ///< those with a value that is not finite or a weight below 0
};

}  // namespace lockstep
