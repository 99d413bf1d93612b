// SPDX-License-Identifier: Apache-2.0
#include "data/trained_schema.h"

namespace lockstep {

TrainedSchema schema_of(const Dataset& train) {
  const DatasetInfo& info = train.info();
  return {info.features,      info.is_sparse,        info.index_base, info.classes,
          info.feature_names, train.preprocessing(), info.encoding};
}

}  // namespace lockstep
