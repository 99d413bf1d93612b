// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"

namespace lockstep {

/// How a trained model saw its training data. Other data is read the same way: same D, same class numbers,
/// same preprocessing. Stored in the model file.
struct TrainedSchema {
  Index features = 0;  ///< D
  bool is_sparse = false;
  int index_base = 1;                      ///< of sparse columns
  std::vector<std::string> classes;        ///< regression: empty
  std::vector<std::string> feature_names;  ///< empty: none
  Preprocessing preprocessing;
  ColumnEncoding encoding = {};
  HashedFeatures hashed = {};
  bool has_weights = false;  ///< of the training rows

  /// Of a source of such rows.
  Index columns() const {
    if (hashed.columns > 0) return hashed.columns;
    return encoding.is_on() ? encoding.columns : features;
  }
};

TrainedSchema schema_of(const Dataset& train);

/// Throws Error(kData) for a schema whose lists do not fit its counts.
void check_schema(const TrainedSchema& schema);

}  // namespace lockstep
