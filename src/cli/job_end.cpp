// SPDX-License-Identifier: Apache-2.0
#include "cli/job_end.h"

#include <csignal>
#include <cstring>

#include "cli/child_process.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr int kLastSignal = kSignalBase + 64;
constexpr int kLostHost = 205, kTimeUp = 110, kToldToEnd = 1;  // of Open MPI's mpirun

bool is_own(int code) {
  return code >= static_cast<int>(ExitCode::kUsage) && code <= static_cast<int>(ExitCode::kDiverged);
}

bool is_signal(int code) {
  return code > kSignalBase && code <= kLastSignal;
}

bool is_final(int code) {
  for (const ExitCode final : {ExitCode::kUsage, ExitCode::kData, ExitCode::kHosts, ExitCode::kOutput,
                               ExitCode::kDisagree, ExitCode::kConfig, ExitCode::kDiverged})
    if (code == static_cast<int>(final)) return true;
  return false;
}

Verdict verdict_of(int code) {
  if (code == 0) return Verdict::kDone;
  if (is_final(code)) return Verdict::kEnd;
  const bool is_outside = is_signal(code) || code == static_cast<int>(ExitCode::kStopped) ||
                          code == kLostHost || code == kTimeUp || code == kToldToEnd;
  return is_outside ? Verdict::kOutside : Verdict::kError;
}

int rank_of(const JobEnd& end) {
  if (end.dead_rank) return *end.dead_rank;
  return end.status ? end.status->rank : -1;
}

// Codes of this program stay; what comes from elsewhere becomes one of ours.
int own_code_for(int code) {
  return is_own(code) ? code : static_cast<int>(ExitCode::kInternal);
}

// An error that ranks agreed on names the rank that had it.
std::string named(const RunStatus& status) {
  const std::string& reason = status.reason;
  if (reason.starts_with("rank") && reason.substr(0, reason.find(": ")).find(" on ") != std::string::npos)
    return reason;
  return "rank " + std::to_string(status.rank) + " on " + status.host + ": " + reason;
}

std::string describe(const JobEnd& end) {
  if (!end.ended_because.empty()) return end.ended_because;
  const bool is_of_launcher = end.launcher_died && !end.was_late;
  const std::string rank = is_of_launcher  ? "the launcher"
                           : end.dead_rank ? "rank " + std::to_string(*end.dead_rank)
                                           : "a rank";
  if (is_signal(end.code) && !end.was_late) {
    const int signal = end.code - kSignalBase;
    return rank + " was ended by signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
  }
  if (end.status && end.status->code != 0) return named(*end.status);
  if (end.code == kLostHost) return "a machine was lost";
  if (end.code == kToldToEnd || end.code == kTimeUp) return "the launcher was told to end";
  if (end.was_late && end.dead_rank) return rank + " is gone, and the launcher did not end";
  return "the ranks ended with code " + std::to_string(end.code);
}

}  // namespace

Judgement judge(const JobEnd& end) {
  const bool is_told = end.status.has_value();
  if (end.code == 0 || (is_told && end.status->code == 0)) return {Verdict::kDone, 0, ""};
  const int stopped = static_cast<int>(ExitCode::kStopped);
  const std::string reason = describe(end);
  // Ranks that the supervisor ended save too, if they can.
  if (is_told && end.status->code == stopped && end.status->reason == "stopped" && end.ended_because.empty())
    return {Verdict::kStopped, stopped, "stopped"};
  // A launcher that had to be ended says nothing; the ranks may have.
  const bool says_little =
      end.was_late || !end.ended_because.empty() || is_signal(end.code) || end.code == kToldToEnd;
  const bool is_rank_fault = is_fault(end.code) && !end.launcher_died;
  const int code = is_told && says_little && !is_rank_fault ? end.status->code : end.code;
  if (end.was_stopped) {
    const bool is_final_code = is_final(code) || code == static_cast<int>(ExitCode::kIo);
    return {Verdict::kStopped, is_final_code ? code : stopped, reason};
  }
  if (end.was_locked && !is_told && end.code == static_cast<int>(ExitCode::kOutput))
    return {Verdict::kOutside, stopped, "the run directory is held by an earlier start of this job", true};
  const bool is_of_start =
      !end.has_begun && !is_told && end.ended_because.empty() && !is_signal(code) && !is_own(code);
  if (is_of_start)
    return {Verdict::kOutside, static_cast<int>(ExitCode::kHosts),
            "the launcher ended with code " + std::to_string(code) + " before there were ranks", true, code};
  const Verdict verdict = !end.ended_because.empty() && !is_told ? Verdict::kOutside
                          : is_rank_fault                        ? Verdict::kError
                                                                 : verdict_of(code);
  const int told_code = end.ended_because.empty() ? code : 0;  // how a rank dies of its end is chance
  return {verdict,     verdict == Verdict::kOutside ? stopped : own_code_for(code), reason, false, told_code,
          rank_of(end)};
}

}  // namespace lockstep
