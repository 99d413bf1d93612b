// SPDX-License-Identifier: Apache-2.0
#include "cli/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

bool is_kept(std::string_view variable) {
  for (const std::string_view start : {"OMPI_", "PMIX_", "LOCKSTEP__", "SLURM_STEP_NUM_TASKS"})
    if (variable.starts_with(start)) return false;
  return true;
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw Error(ExitCode::kInternal, std::string("waitpid: ") + std::strerror(errno));
  return exit_code_of(status);
}

}  // namespace

int exit_code_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? kSignalBase + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

bool is_fault(int exit_code) {
  for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL})
    if (exit_code == kSignalBase + signal) return true;
  return false;
}

std::vector<char*> child_arguments(const std::vector<std::string>& command) {
  std::vector<char*> words;
  words.reserve(command.size() + 1);
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  return words;
}

std::vector<char*> child_environment() {
  std::vector<char*> kept;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (is_kept(*entry)) kept.push_back(*entry);
  kept.push_back(nullptr);
  return kept;
}

int run_child(const std::vector<std::string>& command, const std::filesystem::path& output) {
  std::vector<char*> words = child_arguments(command);
  std::vector<char*> variables = child_environment();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0666);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t child = 0;
  const int error = posix_spawnp(&child, words[0], &actions, nullptr, words.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw Error(ExitCode::kHosts, command[0] + " cannot be started: " + std::strerror(error));
  return wait_for(child);
}

}  // namespace lockstep
