// SPDX-License-Identifier: Apache-2.0
#include "cli/launch_options.h"

namespace lockstep {

namespace {

constexpr double kLongest_s = 1e7;

}  // namespace

void declare_launch_options(OptionTable& table) {
  table.text("launch.interface", "",
             "networks that ranks on several machines use, as Open MPI names them: \"eth0\" or "
             "\"10.1.0.0/16\"; without it all but docker0 and virbr0: where other bridges of containers are "
             "among them a start may hang");
  table
      .integer("launch.restarts", 100, "failed ranks are started again at most so often in an hour; 0: never")
      .range(0, 1000000);
  table
      .integer(
          "launch.repeats", 5,
          "give up when ranks were ended from outside so often in a row at one step without a new "
          "checkpoint, or at any steps 30 times, or so often if that is more; errors of their own are tried "
          "twice")
      .range(1, 1000000);
  table.real("launch.start_s", 120, "seconds in which the launcher has to start all ranks")
      .range(1, kLongest_s);
  table
      .real("launch.hang_s", 60,
            "seconds without a sign of progress after which ranks are ended and restarted")
      .range(1, kLongest_s);
  table.real("launch.grace_s", 5, "seconds that processes get to end before they are killed")
      .range(0.1, kLongest_s);
  table.real("launch.stop_s", 600, "seconds that ranks get to save when a run is asked to stop")
      .range(1, kLongest_s);
  table.real("launch.probe_s", 10, "seconds in which a machine has to answer before ranks are started on it")
      .range(0.1, kLongest_s);
  table
      .real(
          "launch.wait_s", 600,
          "seconds to wait for machines while fewer than --min-ranks can be started, and, before a restart, "
          "for the lock of the run that an earlier rank 0 may still hold")
      .range(0, kLongest_s);
  table
      .real("launch.backoff_s", 1,
            "seconds before the second restart in a row that gained nothing; each further one waits twice as "
            "long. The first is at once")
      .range(0, kLongest_s);
  table.real("launch.backoff_most_s", 60, "the longest such wait").range(0, kLongest_s);
}

LaunchLimits launch_limits(const Options& options) {
  LaunchLimits limits;
  limits.interface = options.text("launch.interface");
  limits.restarts = static_cast<int>(options.integer("launch.restarts"));
  limits.repeats = static_cast<int>(options.integer("launch.repeats"));
  limits.start_s = options.real("launch.start_s");
  limits.hang_s = options.real("launch.hang_s");
  limits.grace_s = options.real("launch.grace_s");
  limits.stop_s = options.real("launch.stop_s");
  limits.probe_s = options.real("launch.probe_s");
  limits.wait_s = options.real("launch.wait_s");
  limits.backoff_s = options.real("launch.backoff_s");
  limits.backoff_most_s = options.real("launch.backoff_most_s");
  limits.timeout_s = options.real("comm.timeout_s");
  return limits;
}

}  // namespace lockstep
