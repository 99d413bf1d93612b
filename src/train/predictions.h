// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "lockstep/comm/communicator.h"
#include "train/load_model.h"
#include "train/prediction_format.h"

namespace lockstep {

/// Collective. What the model says of every row of a source, in the order of the file, piece by piece to
/// `write` on rank 0, behind head(). Memory does not grow with the source. Returns the number of rows.
Index write_predictions(Communicator& communicator, LoadedModel& loaded, const std::string& source,
                        const Plugins& plugins, const PredictionFormat& format,
                        const std::function<void(const std::string&)>& write, std::size_t piece_bytes = 0);

}  // namespace lockstep
