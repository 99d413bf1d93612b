// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "data/bad_rows.h"
#include "lockstep/comm/communicator.h"
#include "model/metric.h"
#include "train/load_model.h"

namespace lockstep {

/// What a model does on the rows of a source.
struct SourceMetrics {
  Index rows = 0;
  BadRows skipped;  ///< data.on_bad_row = "skip"
  MetricSums sums;
};

/// Collective. Reads the rows of `source` piece by piece, in memory that does not grow with them, as this
/// model saw its training data. Sums are formed per piece and merged in the order of the file, so they have
/// the same bits on any number of ranks. `piece_bytes` of text; 0: as many as are good. Throws Error(kData).
SourceMetrics evaluate_source(Communicator& communicator, LoadedModel& loaded, const std::string& source,
                              const Plugins& plugins, std::size_t piece_bytes = 0);

}  // namespace lockstep
