// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "data/load.h"
#include "lockstep/comm/communicator.h"
#include "train/experiment.h"

namespace lockstep {

/// Collective. curves.json, on rank 0: how the predictions of the model for the validation and the test rows
/// lie to their labels, for charts.
///
///   classification: {"valid": {"rows", "per_class": [{class, rows, precision, recall, f1}, …],
///       with probabilities "calibration": [[mean predicted, share, rows], …] of those of ten bins that have
///           rows: of class 1, or of more than two classes of the one decided for; the share is what came
///           true,
///       two classes "roc": [[fpr, tpr], …], "pr": [[recall, precision], …] (≤ 200 points each), "auc",
///           "average_precision"}}
///   regression: {"valid": {"rows", "residuals": {"histogram": [[lo, hi, rows], …],
///           "scatter": [[predicted, label], …]}}}
///
/// A residual is the prediction minus the label; the scatter has every ⌈N/500⌉-th row. Rows count by their
/// weight. One pass over the rows; all that is counted is whole numbers in a fixed number of bins (2 MB a
/// class of two), so neither memory nor bits depend on the number of rows or ranks. Undefined numbers are
/// null.
std::string curves_json(Communicator& communicator, TrainedModel& model, const DataSets& data);

}  // namespace lockstep
