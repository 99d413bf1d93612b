// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "data/bad_rows.h"
#include "data/dataset.h"
#include "data/trained_schema.h"
#include "lockstep/comm/communicator.h"
#include "lockstep/core/options.h"
#include "lockstep/core/registry.h"
#include "lockstep/data/format.h"
#include "lockstep/data/task.h"

namespace lockstep {

/// Rows to be looked at once, as a trained model sees them.
struct RoundsRequest {
  const TrainedSchema& schema;
  std::string source;  ///< a file, a list or a pattern of files, or a demo set
  const Options& options;
  const Registry<FormatRow>& formats;
  Task task = Task::kClassification;
  bool needs_labels = false;               ///< else none is looked at, and bad rows are always refused
  std::function<void(float)> check_label;  ///< see LoadPlan
  std::size_t piece_bytes = 0;             ///< of text; 0: as many as are good
};

/// Collective. Cuts a source into pieces and deals them to the ranks in turn; calls `use` once a round on
/// every rank, with its rows as the one shard of a data set, or with null where it has none, and with those
/// it skipped. In each round the rows of a rank follow those of the rank before it. Pieces are the same for
/// any number of ranks. Text is parsed by the rank that gets the piece, everything else is read by all.
/// Memory does not grow with the source. Throws AgreedError for the first bad row that is not skipped.
using UseRows = std::function<void(const Dataset* rows, const BadRows& skipped)>;
void for_each_round(Communicator& communicator, const RoundsRequest& request, const UseRows& use);

}  // namespace lockstep
