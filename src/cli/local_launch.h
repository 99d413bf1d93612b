// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/mpirun_line.h"

namespace lockstep {

/// The flag of every ranked command: -n P, --ranks P.
Flag ranks_flag();

/// Every ranked command calls this first, after it has read its options: wrong ones are found before anything
/// is started. With -n P > 1 it runs the same command on P ranks of this machine through mpirun and returns
/// the exit code; otherwise nothing, and the caller goes on as a rank. Throws Error(kHosts) without mpirun,
/// Error(kUsage) where a launcher started another number of ranks.
std::optional<int> launch_ranks(const CommandContext& context);

/// How many ranks -n asks this process to start: 0 where there is no -n, or it is a rank itself. Throws as
/// launch_ranks() does.
int ranks_to_start(const CommandContext& context);

/// How many ranks the launcher of this process started, as far as it says (Open MPI, MPICH, Slurm); else 1.
int launched_ranks();

/// The same command line for a rank: with the path of this program, without -n.
std::vector<std::string> rank_command(const std::vector<std::string>& arguments);

/// Prints the line to stderr, runs it and returns its exit code. SIGTERM, SIGINT and SIGHUP reach it as
/// SIGUSR1, at which ranks save and stop with code 75; a second one as SIGTERM, a third as SIGKILL. SIGUSR2,
/// at which they say where they are, reaches it as it is. A rank ended by a signal gives 75 too, or 70 where
/// the signal shows a fault of the program (SIGSEGV and its kin).
int run_and_pass_signals(const std::vector<std::string>& line);

/// The path of this program. mpirun's children would find mpirun under /proc/self/exe.
std::string own_path();

}  // namespace lockstep
