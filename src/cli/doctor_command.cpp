// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor_command.h"

#include <fmt/format.h>
#include <sched.h>

#include <cstdio>
#include <vector>

#include "cli/local_launch.h"
#include "cli/machine_checks.h"
#include "cli/ranks.h"
#include "comm/agreement.h"
#include "comm/topology.h"
#include "core/build_identity.h"
#include "core/clock.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

using Level = Finding::Level;

constexpr double kTimeout_s = 20;
constexpr double kSlowRound_us = 200;

/// Prints them; whether one is an error.
bool print(const std::vector<Finding>& findings) {
  bool has_error = false;
  for (const Finding& finding : findings) {
    has_error = has_error || finding.level == Level::kError;
    const char* level = finding.level == Level::kOk        ? "ok"
                        : finding.level == Level::kWarning ? "warning"
                                                           : "error";
    fmt::print("{:<8} {}{}{}\n", level, finding.what, finding.advice.empty() ? "" : ": ", finding.advice);
  }
  std::fflush(stdout);
  return has_error;
}

/// "0-3,8": the logical processors this process may use.
std::string processor_list() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return "?";
  std::string text;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (!CPU_ISSET(i, &set)) continue;
    int last = i;
    while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, &set)) ++last;
    text += (text.empty() ? "" : ",") + std::to_string(i) + (last > i ? "-" + std::to_string(last) : "");
    i = last;
  }
  return text;
}

/// Microseconds of a barrier, after one to warm up.
double barrier_us(Communicator& communicator) {
  constexpr int kRounds = 100;
  barrier(communicator);
  const double start = now_seconds();
  for (int i = 0; i < kRounds; ++i) barrier(communicator);
  return (now_seconds() - start) / kRounds * 1e6;
}

/// Collective. All ranks greet each other; rank 0 gets what is to be said.
std::vector<Finding> check_ranks(Communicator& communicator) {
  require_agreement(communicator, "build", build_identity());
  const Topology topology = find_topology(communicator);
  const std::vector<std::string> bound = all_gather(communicator, processor_list());
  const double round_us = barrier_us(communicator);
  std::vector<Finding> findings;
  findings.push_back(
      {Level::kOk,
       fmt::format("{} ranks on {} node(s) of one build", communicator.size(), topology.nodes.size()), ""});
  for (const Node& node : topology.nodes) {
    std::string places;
    for (int rank = node.first_rank; rank < node.first_rank + node.ranks; ++rank)
      places += fmt::format("{} rank {} on {}", rank > node.first_rank ? "," : "", rank,
                            bound[static_cast<std::size_t>(rank)]);
    const bool has_room = node.ranks <= node.cores;
    findings.push_back(
        {has_room ? Level::kOk : Level::kWarning,
         fmt::format("{}: {} ranks on {} logical processors;{}", node.host, node.ranks, node.cores, places),
         has_room ? "" : "more ranks than processors give no speed: use fewer, or --bind-to none"});
  }
  const bool is_fast = round_us <= kSlowRound_us;
  findings.push_back(
      {is_fast ? Level::kOk : Level::kWarning,
       fmt::format("a round through all ranks takes {:.1f} µs", round_us),
       is_fast ? "" : "ranks wait for processors or a slow network; small batches will be slow"});
  return findings;
}

int doctor_as_rank(bool shows_machine) {
  return run_as_rank(kTimeout_s, [&](Communicator& communicator) {
    const std::vector<Finding> findings = check_ranks(communicator);
    if (communicator.rank() == 0) {
      if (shows_machine) print(check_machine());
      print(findings);
    }
    return 0;
  });
}

// The ranks print their own findings; here remains whether they could be started at all.
bool two_ranks_work() {
  const double start = now_seconds();
  std::vector<std::string> line = mpirun_line(2, {own_path(), "doctor", "--only-ranks"});
  if (mpi_library().starts_with("Open MPI")) line.insert(line.begin() + 1, {"--timeout", "20"});
  const int code = run_and_pass_signals(line);
  const Finding works = {Level::kOk, fmt::format("mpirun -n 2 works, in {:.1f} s", now_seconds() - start),
                         ""};
  const Finding fails = {Level::kError, fmt::format("mpirun -n 2 ended with code {}", code),
                         "run the line above without -q to see why"};
  return !print({code == 0 ? works : fails});
}

int doctor(const CommandContext& context) {
  if (launched_by_mpi()) return doctor_as_rank(!context.line.has("only-ranks"));
  const bool has_error = print(check_machine());
  if (has_error || !two_ranks_work()) return static_cast<int>(ExitCode::kHosts);
  return 0;
}

}  // namespace

void add_doctor_command(std::vector<Command>* rows) {
  rows->push_back({{"doctor",
                    "",
                    0,
                    0,
                    false,
                    {{"only-ranks", "", "under mpirun: how ranks are placed, and nothing of the machine"}}},
                   "Checks MPI, processors, shared memory and limits, and says what to do.",
                   doctor});
}

}  // namespace lockstep
