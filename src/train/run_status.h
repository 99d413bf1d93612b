// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <filesystem>
#include <optional>
#include <string>

#include "lockstep/comm/communicator.h"
#include "train/observer.h"

namespace lockstep {

/// How the last session of a run ended: status.json in the run directory, which appears whole, and only at an
/// end. A launcher's exit code alone cannot tell a stopped run from one that failed.
struct RunStatus {
  int code = 0;  ///< ExitCode
  int rank = 0;  ///< that had the error; 0 where all had it, or none
  std::string host;
  Index step = -1;       ///< updates made; −1: unknown
  std::string reason;    ///< "finished", "stopped", or the message of the error
  Index generation = 0;  ///< of the start that ended (Generation); 0: a cross-validation has none
};

/// Errors are Error(kIo) and Error(kOutput).
void write_status(const std::filesystem::path& run, const RunStatus& status);
/// Nothing where there is none, or it is malformed.
std::optional<RunStatus> read_status(const std::filesystem::path& run);

/// Writes the status of a run: rank 0 for ends and for errors that all ranks have, a lone rank for its own.
/// Before begin() there is nothing to write to: the folder may be another run's. Nor is it this start's any
/// more when a later one has taken it over.
class StatusFile final : public StepObserver {
 public:
  explicit StatusFile(Communicator& communicator) : communicator_(communicator) {}

  /// The run directory is open, on every rank, in its start `generation`. Its old status is gone, which rank
  /// 0 saw to. `job`: where to write as well, unless the end is a success, after which the job goes on;
  /// empty: nowhere.
  void begin(std::filesystem::path run, Index generation, std::filesystem::path job = {}) {
    run_ = std::move(run);
    generation_ = generation;
    job_ = std::move(job);
  }
  /// Rank 0 alone.
  void end(int code, const std::string& reason) const;
  /// Does not throw: the error itself matters more.
  void fail(const std::exception_ptr& error) const noexcept;

  void on_step(const StepReport& report) override { step_ = report.step; }

 private:
  void write(int code, const std::string& reason) const;

  Communicator& communicator_;
  std::filesystem::path run_, job_;
  Index generation_ = 0;
  Index step_ = -1;
};

}  // namespace lockstep
