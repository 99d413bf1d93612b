// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "lockstep/core/options.h"
#include "lockstep/core/view.h"

namespace lockstep {

using MetricValues = std::map<std::string, double>;

/// Whether larger values of a metric are better ("valid.accuracy": yes, "valid.loss": no).
bool is_larger_better(const std::string& metric);

/// "valid.accuracy >= 0.88". Throws Error(kConfig) for another form, and for test.*, which must not choose.
class Target {
 public:
  explicit Target(const Options& options);
  bool exists() const { return !metric_.empty(); }
  const std::string& metric() const { return metric_; }
  bool wants_at_least() const { return wants_at_least_; }
  double value() const { return value_; }
  bool reached(const MetricValues& values) const;

 private:
  std::string metric_;
  bool wants_at_least_ = true;
  double value_ = 0;
};

/// Follows train.watch over evaluations: which was best, and whether patience is at an end. Decides alike on
/// all ranks, because the values are.
class BestWatch {
 public:
  explicit BestWatch(const Options& options);

  const std::string& metric() const { return metric_; }
  /// Tells the values of an evaluation. Returns whether they are the best so far.
  bool observe(const MetricValues& values, Index step);
  bool is_over() const { return patience_ > 0 && since_best_ >= patience_; }
  bool has_best() const { return best_step_ >= 0; }
  Index best_step() const { return best_step_; }
  double best() const { return best_; }

  struct State {
    double best = 0;
    Index best_step = -1;
    Index since_best = 0;
  };
  State state() const { return {best_, best_step_, since_best_}; }
  void restore(const State& state);

 private:
  std::string metric_;
  Index patience_;
  double min_delta_;
  double best_ = 0;
  Index best_step_ = -1;
  Index since_best_ = 0;
};

/// Throws Error(kConfig) if a metric that chooses or stops is one of the test set.
void refuse_test_metric(const std::string& key, const std::string& metric);

}  // namespace lockstep
