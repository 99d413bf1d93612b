// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/column_statistics.h"
#include "data/row_filter.h"
#include "lockstep/core/options.h"

namespace lockstep {

/// Declares every key under `data.`.
void declare_data_options(OptionTable& table);

/// From data.standardize and data.scale. `is_bytes`: "auto" means 1/255.
ScalePlan scale_plan(const Options& options, bool is_bytes);

/// From data.valid ("split:0.2"), data.split_seed and the folds, which exclude data.valid.
RowFilter row_filter(const Options& options, FoldPlan folds);

/// Whether data.valid names a file.
bool has_valid_file(const Options& options);

/// What decides how a file is read, as one text for the fingerprint.
std::string reading_rules(const Options& options, FoldPlan folds);

}  // namespace lockstep
