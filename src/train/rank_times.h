// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lockstep/comm/communicator.h"
#include "lockstep/core/view.h"

namespace lockstep {

/// Seconds of one rank's part of one step.
struct StepSeconds {
  double data = 0;
  double compute = 0;
  double exchange = 0;  ///< waiting for ranks that came later, and moving bytes
  double update = 0;
  double exposed = 0;  ///< waiting for bytes of other nodes
  double whole = 0;
};

/// Seconds of one rank over some steps.
struct RankTime {
  double data = 0;
  double compute = 0;
  double exchange = 0;  ///< what exchanges took the rank that waited least
  double wait = 0;      ///< what they took this rank beyond that: for ranks that were later
  double update = 0;
  double late_ms = 0;  ///< a step, in the mean: how much later than the first rank it came to exchanges
};

/// The times of all ranks over some steps; the same on all ranks.
struct RankTimesReport {
  Index steps = 0;
  double seconds = 0;  ///< in these steps, mean over the ranks
  double exposed = 0;  ///< likewise
  std::vector<RankTime> ranks;
  int slowest = 0;  ///< the rank that came last, the first of equals
  std::string host_of_slowest;
  double late_share = 0;  ///< how much later it came than the median of the others, of the time of a step

  double step_ms() const { return steps == 0 ? 0 : seconds / static_cast<double>(steps) * 1e3; }
};

/// Who is late: every rank measures its own times, and seldom they are gathered. A rank that is late finds
/// all others waiting and waits for nobody, so lateness follows from what ranks waited in all exchanges of a
/// step, and no clock is compared with another. It is a mean over the steps between two gatherings: ranks
/// that are late by turns are not called late.
///
/// A rank votes in a step's tail when two to four seconds have gone by since the last gathering (at first a
/// quarter) and ten steps have, this one included, so all ranks gather after the same step; nothing that
/// reaches a parameter depends on it.
class RankTimes {
 public:
  static constexpr Index kFewestSteps = 10;  ///< between gatherings: of fewer, nobody is called slow

  /// Collective.
  explicit RankTimes(Communicator& communicator);

  void add(const StepSeconds& step);
  /// Whether this rank's clock says that it is time to gather; the ranks have to agree.
  bool is_due(double now_s) const {
    return now_s >= next_s_ && all_.steps - gathered_.steps + 1 >= static_cast<double>(kFewestSteps);
  }
  /// Collective. Of the steps since the last call. Valid until the next call of this or of total().
  const RankTimesReport& gather();
  /// Collective. Of all steps that were added.
  const RankTimesReport& total();

 private:
  struct Sums {
    StepSeconds seconds;
    double steps = 0;
  };

  const RankTimesReport& report(const Sums& mine);
  double median_exchange_of_others();

  Communicator& communicator_;
  std::vector<std::string> hosts_;
  Sums all_, gathered_;
  std::vector<Sums> ranks_;
  std::vector<double> others_;
  RankTimesReport report_;
  double interval_s_;
  double next_s_;
};

}  // namespace lockstep
