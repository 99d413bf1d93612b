// SPDX-License-Identifier: Apache-2.0
#include "data/trained_schema.h"

#include <algorithm>

#include "data/hashed_features.h"
#include "lockstep/core/error.h"

namespace lockstep {

TrainedSchema schema_of(const Dataset& train) {
  const DatasetInfo& info = train.info();
  return {info.features,         info.is_sparse, info.index_base, info.classes,    info.feature_names,
          train.preprocessing(), info.encoding,  info.hashed,     info.has_weights};
}

void check_schema(const TrainedSchema& schema) {
  const auto check = [](bool is_good, const char* what) {
    if (!is_good) throw Error(ExitCode::kData, std::string("the schema of the model is malformed: ") + what);
  };
  const auto fits = [](std::size_t size, Index count) {
    return size == 0 || static_cast<Index>(size) == count;
  };
  const std::vector<float>&shift = schema.preprocessing.shift, &scale = schema.preprocessing.scale;
  check(schema.features > 0 && schema.features < Index{1} << 40, "features are not a count");
  check(is_sound(schema.hashed, schema.features), "hashed features are malformed");
  check(schema.index_base == 0 || schema.index_base == 1, "index_base is neither 0 nor 1");
  check(fits(schema.feature_names.size(), schema.features), "feature_names are not one for each feature");
  check(fits(shift.size(), schema.features), "shift is not one number for each feature");
  check(fits(scale.size(), schema.features) || scale.size() == 1, "scale is not one number for each feature");
  check(shift.empty() || scale.size() == shift.size(), "shift goes without scale");
  const ColumnEncoding& encoding = schema.encoding;
  const Index columns = encoding.columns;
  check(columns >= 0, "columns are not a count");
  if (!encoding.is_on()) return;
  const std::size_t known =
      std::max({encoding.is_category.size(), encoding.fill.size(), encoding.column_names.size()});
  check(static_cast<Index>(known) == columns, "columns are another count than their lists have");
  check(fits(encoding.column_names.size(), columns) && fits(encoding.fill.size(), columns) &&
            fits(encoding.is_category.size(), columns) &&
            encoding.categories.size() == encoding.is_category.size(),
        "the lists of columns differ in length");
  for (const auto& texts : encoding.categories)
    check(std::is_sorted(texts.begin(), texts.end()), "categories are not sorted");
  for (const Index column : encoding.indicators)
    check(column >= 0 && column < columns, "an indicator of no column");
  check(encoding.features() == schema.features, "columns do not make as many features");
}

}  // namespace lockstep
