// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "train/run_status.h"

namespace lockstep {

/// What is known of ranks that have ended.
struct JobEnd {
  int code = 0;                     ///< of the launcher; 128 + signal where one ended it
  bool launcher_died = false;       ///< that signal was its own, not a rank's
  bool was_stopped = false;         ///< the user had asked for it
  bool has_begun = true;            ///< there was a sign that ranks had started
  bool was_late = false;            ///< the launcher did not end after its ranks, and was killed
  bool was_locked = false;          ///< an earlier start of this job held the run directory
  std::string ended_because;        ///< why the supervisor ended the ranks; "": it did not
  std::optional<RunStatus> status;  ///< what the ranks wrote
  std::optional<int> dead_rank;     ///< of this machine, seen to be gone before the others
  Index step = -1;                  ///< where it was last seen; −1: unknown
};

enum class Verdict {
  kDone,     ///< a model, or all that was asked for
  kStopped,  ///< saved; to be resumed some time
  kEnd,      ///< no restart would help
  kError,    ///< the ranks' own doing: perhaps it was a passing trouble
  kOutside,  ///< done to the ranks, as by a kill, a lost machine or a pause
};

struct Judgement {
  Verdict verdict = Verdict::kDone;
  int exit_code = 0;         ///< if it ends here
  std::string reason;        ///< for the user
  bool is_of_start = false;  ///< it failed before there were ranks, or before they had the run
  int code = 0;              ///< that was judged, of the ranks or the launcher; 0: the supervisor ended them
  int rank = -1;             ///< that failed; −1: not known
};

/// The exit code alone is ambiguous (1 may be a SIGTERM to mpirun, 75 a stop or a wait without an answer), so
/// status.json is heard first.
///
/// | exit code | verdict |
/// |---|---|
/// | 0 | done |
/// | 64 65 69 73 76 78 79 | end |
/// | 73 while an earlier start holds the run directory | outside |
/// | 70 74, SIGSEGV SIGABRT SIGBUS SIGFPE SIGILL | error |
/// | 75 with reason "stopped", or asked for | stopped |
/// | other 75; other signals, 205 (a machine was lost), 1 and 110 (mpirun was told to end) | outside |
/// | others | error |
///
/// A signal that ended the launcher, SIGSEGV too, says nothing of the ranks: what they told counts, else it
/// is outside. (mpirun of Open MPI 4.1.4 now and then crashes in PMIx_server_finalize after its ranks have
/// ended.) A launcher that ends by itself before there are ranks, as without a usable network or batch
/// system, gives outside, and 69 if it ends here.
Judgement judge(const JobEnd& end);

}  // namespace lockstep
