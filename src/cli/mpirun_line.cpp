// SPDX-License-Identifier: Apache-2.0
#include "cli/mpirun_line.h"

#include <unistd.h>

#include <cstdlib>
#include <initializer_list>
#include <string_view>

#include "cli/machine.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

void add(std::vector<std::string>* line, std::initializer_list<const char*> words) {
  line->insert(line->end(), words.begin(), words.end());
}

std::vector<std::string> start_of_line(bool binds) {
  if (find_program("mpirun").empty())
    throw Error(
        ExitCode::kHosts,
        "mpirun is not in PATH; install Open MPI (Debian: openmpi-bin), or leave -n away for one rank");
  std::vector<std::string> line = {"mpirun"};
  if (!mpi_library().starts_with("Open MPI")) return line;
  add(&line, {"-q"});
  if (geteuid() == 0) add(&line, {"--allow-run-as-root"});
  if (!binds) add(&line, {"--oversubscribe"});
  return line;
}

// Where ranks are to be is said on the line: within an allocation its slots and machines are not asked for.
void ignore_allocations(std::vector<std::string>* line, const char* starter) {
  add(line, {"--mca", "ras", "^slurm,gridengine,tm,lsf,loadleveler", "--mca", "plm", starter});
}

// Open MPI refuses networks that are both included and excluded, be it by a variable of the user's.
bool has_networks(const std::string& layer) {
  for (const char* list : {"_tcp_if_include", "_tcp_if_exclude"})
    if (std::getenv(("OMPI_MCA_" + layer + list).c_str()) != nullptr) return true;
  return false;
}

}  // namespace

std::vector<std::string> mpirun_line(int ranks, const std::vector<std::string>& command, Binding binding,
                                     Ending ending) {
  const bool binds = ranks <= usable_cores() && binding == Binding::kCores;
  std::vector<std::string> line = start_of_line(binds);
  if (mpi_library().starts_with("Open MPI")) {
    if (binds)
      add(&line, {"--map-by", "core", "--bind-to", "core"});
    else
      add(&line, {"--map-by", "slot", "--bind-to", "none"});
    add(&line, {"--mca", "odls_base_sigkill_timeout", ending == Ending::kSwift ? "1" : "2"});
    // Its messages go by memory; looking for fast networks, as it does unasked, takes 0.2 s of every start.
    if (std::getenv("OMPI_MCA_pml") == nullptr) add(&line, {"--mca", "pml", "ob1"});
    if (!can_copy_between_processes()) add(&line, {"--mca", "btl_vader_single_copy_mechanism", "none"});
    ignore_allocations(&line, "^slurm");
  }
  line.insert(line.end(), {"-n", std::to_string(ranks)});
  line.insert(line.end(), command.begin(), command.end());
  return line;
}

std::vector<std::string> mpirun_line(const HostPlan& plan, const std::vector<std::string>& command) {
  const bool binds = plan.binding == Binding::kCores;
  std::vector<std::string> line = start_of_line(binds);
  // There may be a slot for each of a core's hardware threads.
  add(&line,
      {"--map-by", "slot", "--rank-by", "slot", "--bind-to", binds ? "core:overload-allowed" : "none"});
  add(&line, {"--mca", "odls_base_sigkill_timeout", "1"});
  add(&line, {"--mca", "oob_tcp_keepalive_time", "6", "--mca", "oob_tcp_keepalive_intvl", "2", "--mca",
              "oob_tcp_keepalive_probes", "3"});
  if (!can_copy_between_processes()) add(&line, {"--mca", "btl_vader_single_copy_mechanism", "none"});
  add(&line, {"--mca", "orte_startup_timeout", std::to_string(plan.start_s).c_str()});
  if (!plan.interface.empty()) {
    for (const char* network : {"btl_tcp_if_include", "oob_tcp_if_include"})
      add(&line, {"--mca", network, plan.interface.c_str()});
  } else {  // bridges of containers and virtual machines have one address on every host
    if (!has_networks("btl")) add(&line, {"--mca", "btl_tcp_if_exclude", "127.0.0.1/8,sppp,docker0,virbr0"});
    if (!has_networks("oob")) add(&line, {"--mca", "oob_tcp_if_exclude", "docker0,virbr0"});
  }
  ignore_allocations(&line, "rsh");
  add(&line, {"--mca", "plm_rsh_agent", plan.agent.c_str()});
  for (const std::string& variable : plan.variables) add(&line, {"-x", variable.c_str()});
  add(&line, {"--host", to_text(plan.hosts).c_str()});
  line.insert(line.end(), {"-n", std::to_string(count_slots(plan.hosts))});
  line.insert(line.end(), command.begin(), command.end());
  return line;
}

std::vector<std::string> srun_line(int ranks, const std::vector<std::string>& command) {
  // Ranks need the variables of this process, whatever a job was given of its user's.
  std::vector<std::string> line = {
      "srun",        "--mpi=pmix", "--kill-on-bad-exit=1", "--cpu-bind=cores", "--distribution=block:block",
      "--export=ALL"};
  // Within a step, such as a shell, it would wait for what that step holds.
  if (std::getenv("SLURM_STEP_ID") != nullptr) line.emplace_back("--overlap");
  if (ranks > 0) line.insert(line.end(), {"-n", std::to_string(ranks)});
  line.insert(line.end(), command.begin(), command.end());
  return line;
}

std::string shell_text(const std::vector<std::string>& words) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
  std::string text;
  for (const std::string& word : words) {
    std::string quoted = "'";
    for (const char letter : word) quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    const bool is_plain = !word.empty() && word.find_first_not_of(kPlain) == std::string::npos;
    text += (text.empty() ? "" : " ") + (is_plain ? word : quoted + "'");
  }
  return text;
}

std::vector<std::string> own_variables() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (text.starts_with("LOCKSTEP_")) names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

}  // namespace lockstep
