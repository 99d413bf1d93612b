// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lockstep/core/options.h"

namespace lockstep {

/// What a Supervisor goes by. Every wait of it has its limit here.
struct LaunchLimits {
  std::string interface;  ///< networks between machines; "": any
  int restarts = 100;     ///< within an hour
  int repeats = 5;        ///< deaths from outside in a row at one step
  double start_s = 120;
  double hang_s = 60;
  double grace_s = 5;
  double stop_s = 600;
  double probe_s = 10;
  double wait_s = 600;
  double backoff_s = 1;
  double backoff_most_s = 60;
  double timeout_s = 600;  ///< comm.timeout_s
};

/// launch.*
void declare_launch_options(OptionTable& table);
LaunchLimits launch_limits(const Options& options);

}  // namespace lockstep
