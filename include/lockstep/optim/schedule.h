// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lockstep/core/options.h"
#include "lockstep/core/view.h"

namespace [[gnu::visibility("default")]] lockstep {

/// Lengths of a run, in steps. Written in epochs or steps by the user, converted once.
struct RunLength {
  Index steps = 0;  ///< of the whole run
  Index steps_per_epoch = 1;
};

/// The factor on the base rate as a function of progress. Pure: the same step gives the same factor, finite
/// and ≥ 0, on every rank and after every resume.
class Schedule {
 public:
  virtual ~Schedule() = default;

  /// Factor for step t = 0, 1, …, the number of updates made before. Warm-up is applied by the caller.
  virtual double factor(Index step) const = 0;

  /// Reduce-on-plateau alone listens: told the watched metric after every evaluation, lower is better (a
  /// metric that should grow is told with its sign changed). What it remembers is in `state` (checkpointed,
  /// the same on all ranks).
  virtual void observe(double /*metric*/) {}
  virtual std::vector<double> state() const { return {}; }
  virtual void restore(const std::vector<double>& /*state*/) {}
};

/// One row of src/optim/schedule_registry.cpp.
struct ScheduleRow {
  std::string name;
  std::string summary;
  void (*declare)(OptionTable&) = nullptr;
  std::unique_ptr<Schedule> (*create)(const Options&, const RunLength&) = nullptr;
};

}  // namespace lockstep
