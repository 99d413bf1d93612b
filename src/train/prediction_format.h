// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "model/metric.h"
#include "train/experiment.h"

namespace lockstep {

/// How predictions are written.
///   csv    a header, and a line a row. Regression: prediction. Classification: class, score, and a column
///          "p:<class>" for each class if the loss gives probabilities
///   jsonl  a JSON object a row, with the same names; probabilities are an object "p"; what is not finite is
///   null npy    float32. Regression: (N). Classification: (N, classes), probabilities if the loss gives
///   them, else
///          scores; (N) for the one score that two classes may have
/// The score is the one that decided: of the class, or with one output (two classes) that output, which is
/// above 0 for the second class.
class PredictionFormat {
 public:
  virtual ~PredictionFormat() = default;

  /// What stands before the rows; of the same length for every number of rows.
  virtual std::string head(const TrainedModel& model, Index rows) const = 0;
  virtual bool counts_rows() const { return false; }
  virtual void append(const TrainedModel& model, const ScoredRows& rows, std::string& out) const = 0;
};

/// By name; "" goes by the ending of `path`, and is csv where that says nothing. Throws Error(kUsage).
std::unique_ptr<PredictionFormat> make_prediction_format(const std::string& name, const std::string& path);

}  // namespace lockstep
