// SPDX-License-Identifier: Apache-2.0
#include "cli/machine_checks.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "cli/machine.h"
#include "lockstep/comm/mpi_session.h"

namespace lockstep {

namespace {

using Level = Finding::Level;

constexpr double kMega = 1e6;
// Open MPI keeps 4 MiB of it for each rank, and containers start with 64 MB.
constexpr double kEnoughSharedMemory = 128 * kMega;
// Open MPI makes sockets below it, whose paths may have 107 characters.
constexpr std::size_t kLongestTemporaryFolder = 60;

Finding judge(bool is_fine, std::string what, std::string advice, Level otherwise = Level::kWarning) {
  return is_fine ? Finding{Level::kOk, std::move(what), ""}
                 : Finding{otherwise, std::move(what), std::move(advice)};
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

double free_bytes(const std::string& folder) {
  struct statvfs found {};
  if (statvfs(folder.c_str(), &found) != 0) return 0;
  return static_cast<double>(found.f_bavail) * static_cast<double>(found.f_frsize);
}

void check_program(std::vector<Finding>* findings) {
  findings->push_back(
      {Level::kOk,
       fmt::format("lockstep {} for {}, compiled by g++ {}", LOCKSTEP_VERSION, LOCKSTEP_ARCH, __VERSION__),
       ""});
  findings->push_back({Level::kOk, "GEMM: own AVX2 kernels, one thread a rank; no BLAS is used", ""});
}

void check_mpi(std::vector<Finding>* findings) {
  const std::string path = find_program("mpirun");
  findings->push_back(judge(!path.empty(), mpi_library() + ", " + (path.empty() ? "no mpirun" : path),
                            "mpirun is not in PATH, so -n cannot start ranks: install openmpi-bin",
                            Level::kError));
}

void check_processors(std::vector<Finding>* findings) {
  const int processors = usable_processors(), cores = usable_cores();
  const auto online = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  findings->push_back(judge(processors >= online,
                            fmt::format("{}: {} of {} logical processors usable, {} cores", processor_name(),
                                        processors, online, cores),
                            "this process is bound to some of them (taskset, cpuset or a launcher)"));
  findings->push_back({Level::kOk,
                       fmt::format("-n P binds each rank to a core of its own up to P = {}; beyond, ranks "
                                   "share cores unbound, which gives the same model and no speed",
                                   cores),
                       ""});
  if (const auto quota = processor_quota())
    findings->push_back(judge(
        *quota >= cores, fmt::format("container may use {:g} processors", *quota),
        fmt::format("use at most -n {:.0f}, or raise the limit (docker run --cpus)", std::max(1.0, *quota))));
}

void check_shared_memory(std::vector<Finding>* findings) {
  const double free = free_bytes("/dev/shm");
  findings->push_back(judge(free >= kEnoughSharedMemory,
                            fmt::format("shared memory: {:.0f} MB free in /dev/shm", free / kMega),
                            "ranks exchange through it; enlarge it (docker run --shm-size=1g)"));
  findings->push_back(judge(can_copy_between_processes(), "copies between processes (CMA)",
                            "forbidden here, so -n switches them off; allow them with --cap-add SYS_PTRACE "
                            "for faster large messages; with a bare mpirun say "
                            "--mca btl_vader_single_copy_mechanism none"));
  const std::string yama = first_line("/proc/sys/kernel/yama/ptrace_scope").value_or("0");
  findings->push_back(judge(yama == "0", "kernel.yama.ptrace_scope = " + yama,
                            "ranks may not read each other's memory; sysctl kernel.yama.ptrace_scope=0 makes "
                            "large messages faster"));
  const std::string huge = first_line("/sys/kernel/mm/transparent_hugepage/enabled").value_or("[unknown]");
  findings->push_back(judge(huge.find("[never]") == std::string::npos, "transparent huge pages: " + huge,
                            "large models gain from madvise or always"));
}

void check_temporary_folder(std::vector<Finding>* findings) {
  const char* variable = std::getenv("TMPDIR");
  const std::string folder = variable == nullptr ? "/tmp" : variable;
  const double free = free_bytes(folder);
  const bool is_usable = access(folder.c_str(), W_OK | X_OK) == 0 && free > kMega;
  findings->push_back(judge(is_usable,
                            fmt::format("temporary folder {}: {:.0f} MB free", folder, free / kMega),
                            "mpirun needs to write there; set TMPDIR", Level::kError));
  if (folder.size() > kLongestTemporaryFolder)
    findings->push_back({Level::kWarning, "path of the temporary folder is long",
                         "mpirun makes sockets below it, whose names are limited: set TMPDIR=/tmp"});
}

std::string limit_text(rlim_t limit, double unit) {
  return limit == RLIM_INFINITY ? "unlimited" : fmt::format("{:.0f}", static_cast<double>(limit) / unit);
}

void check_limits(std::vector<Finding>* findings) {
  struct rlimit files {
  }, memory{};
  getrlimit(RLIMIT_NOFILE, &files);
  getrlimit(RLIMIT_AS, &memory);
  findings->push_back(judge(files.rlim_cur >= 1024, "open files: " + limit_text(files.rlim_cur, 1),
                            "raise it: ulimit -n 4096"));
  findings->push_back(judge(memory.rlim_cur == RLIM_INFINITY,
                            "address space: " + limit_text(memory.rlim_cur, kMega) +
                                (memory.rlim_cur == RLIM_INFINITY ? "" : " MB a process"),
                            "large data may not fit: ulimit -v unlimited"));
  const auto group = first_line("/sys/fs/cgroup/memory.max");
  if (group && *group != "max")
    findings->push_back(
        {Level::kOk, fmt::format("container may use {:.0f} MB of memory", std::atof(group->c_str()) / kMega),
         ""});
}

// Settings of Open MPI that come from outside change what ranks do, and are easily forgotten.
void check_environment(std::vector<Finding>* findings) {
  if (launched_by_mpi()) return;  // mpirun sets some itself
  std::string names;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (const std::string text(*entry); text.starts_with("OMPI_MCA_"))
      names += " " + text.substr(0, text.find('='));
  findings->push_back(judge(names.empty(), "environment sets" + (names.empty() ? " no OMPI_MCA_…" : names),
                            "these change how mpirun works; unset them unless they are meant"));
}

}  // namespace

std::vector<Finding> check_machine() {
  std::vector<Finding> findings;
  check_program(&findings);
  check_mpi(&findings);
  check_processors(&findings);
  check_shared_memory(&findings);
  check_temporary_folder(&findings);
  check_limits(&findings);
  check_environment(&findings);
  return findings;
}

}  // namespace lockstep
