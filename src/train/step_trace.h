// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lockstep/comm/communicator.h"
#include "lockstep/core/view.h"

namespace lockstep {

enum class TracePhase : std::int32_t { kStep, kData, kCompute, kExchange, kUpdate, kWait };

/// What a rank did from `start_s` to `end_s` of its clock.
struct TraceSpan {
  Index step = 0;
  TracePhase phase = TracePhase::kStep;
  double start_s = 0;
  double end_s = 0;
};

/// When a step began, its gradient was there, was reduced, and the step was over.
struct StepMarks {
  double start_s = 0, computed_s = 0, reduced_s = 0, end_s = 0;
};

/// When each rank did what in some steps ("100-110", "100"; "": none): trace.json, for Perfetto or
/// chrome://tracing. A step holds data and compute (by turns, batch after batch of up to 1,024 rows),
/// exchange (the reduction) and update (with the exchange of norms and new weights); an exchange begins with
/// the wait for the last rank. Clocks are aligned with that of rank 0 (ClockOffset); by how much they may be
/// wrong stands in the file. Other steps cost nothing.
class StepTrace {
 public:
  /// Throws Error(kConfig) for another form.
  StepTrace(const std::string& option, const std::string& origin);

  bool is_traced(Index step) const { return step >= first_ && step <= last_; }
  void add(const TraceSpan& span) { spans_.push_back(span); }
  /// Its exchange, its update and itself, if it is traced.
  void add_step(Index step, const StepMarks& marks);
  /// Whether there is something to write, after so many updates: the last of the steps is made, or there is
  /// no more to come. The same on all ranks.
  bool is_complete(Index step, bool is_end) const { return !spans_.empty() && (step >= last_ || is_end); }
  /// Collective. The file, on rank 0; forgets the spans.
  std::string take_json(Communicator& communicator);

 private:
  Index first_ = 1;
  Index last_ = 0;
  std::vector<TraceSpan> spans_;
};

}  // namespace lockstep
