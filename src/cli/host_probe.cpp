// SPDX-License-Identifier: Apache-2.0
#include "cli/host_probe.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <thread>

#include "cli/child_process.h"
#include "cli/mpirun_line.h"
#include "cli/process_record.h"
#include "comm/host_name.h"
#include "core/clock.h"

namespace lockstep {

namespace {

/// One machine that is being asked.
struct Question {
  pid_t pid = -1;
  int output = -1;
  bool has_ended = false;
  HostAnswer answer;
};

std::vector<std::string> question_line(const std::string& host, const std::string& agent,
                                       const std::string& script) {
  if (is_this_machine(host)) return {"/bin/sh", "-c", script};
  std::vector<std::string> line;
  std::istringstream words(agent);
  for (std::string word; words >> word;) line.push_back(word);
  line.push_back(host);
  line.push_back(shell_text({"/bin/sh", "-c", script}));  // a shell there takes it apart again
  return line;
}

// In a process group of its own, so that all of it can be ended.
Question ask(const std::vector<std::string>& line) {
  Question question;
  std::array<int, 2> ends = {-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return question;
  std::vector<char*> words = child_arguments(line);
  const pid_t parent = getpid();
  question.pid = fork();
  if (question.pid > 0) setpgid(question.pid, question.pid);  // whoever comes first
  if (question.pid == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    unsetenv(kJobVariable);  // what is asked is no process of the job
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    if (const int null = open("/dev/null", O_RDWR | O_CLOEXEC); null >= 0) {
      dup2(null, STDIN_FILENO);
      dup2(null, STDERR_FILENO);
    }
    dup2(ends[1], STDOUT_FILENO);
    execvp(words[0], words.data());
    _exit(1);
  }
  close(ends[1]);
  question.output = ends[0];
  return question;
}

void hear(Question* question, int wait_status) {
  question->has_ended = true;
  question->answer.has_answered = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
  std::array<char, 4096> text{};
  fcntl(question->output, F_SETFL, O_NONBLOCK);  // someone may still hold the other end
  const ssize_t size = read(question->output, text.data(), text.size() - 1);
  std::istringstream words(size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "");
  for (std::string word; words >> word;) question->answer.processors = std::atoi(word.c_str());
}

bool owns_address(const std::string& name) {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return false;
  bool found = false;
  for (const ifaddrs* one = all; one != nullptr && !found; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
    found =
        inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size()) != nullptr && name == text.data();
  }
  freeifaddrs(all);
  return found;
}

}  // namespace

bool is_this_machine(const std::string& name) {
  const std::string own = host_name();
  return name == "localhost" || name == own || name == own.substr(0, own.find('.')) || owns_address(name);
}

std::vector<HostAnswer> ask_hosts(const std::vector<HostSlots>& hosts, const std::string& agent,
                                  const std::string& script, double deadline_s) {
  std::vector<Question> questions;
  questions.reserve(hosts.size());
  for (const HostSlots& host : hosts) questions.push_back(ask(question_line(host.name, agent, script)));
  const double end_s = now_seconds() + deadline_s;
  const auto is_open = [](const Question& question) { return question.pid > 0 && !question.has_ended; };
  while (std::any_of(questions.begin(), questions.end(), is_open) && now_seconds() < end_s) {
    for (Question& question : questions) {
      int status = 0;
      if (is_open(question) && waitpid(question.pid, &status, WNOHANG) == question.pid)
        hear(&question, status);
    }
    constexpr int kPause_ms = 10;
    std::this_thread::sleep_for(std::chrono::milliseconds(kPause_ms));
  }
  std::vector<HostAnswer> answers;
  for (const Question& question : questions) {
    if (is_open(question)) {
      kill(-question.pid, SIGKILL);
      waitpid(question.pid, nullptr, 0);
    }
    if (question.output >= 0) close(question.output);
    answers.push_back(question.answer);
  }
  return answers;
}

std::string host_script(const std::string& id, const std::filesystem::path& folder,
                        const std::filesystem::path& memory, bool prepares) {
  const std::string own = shell_text({folder.string()}), both = own + " " + shell_text({memory.string()});
  return "for p in $(grep -lszxF " + std::string(kJobVariable) + "=" + id +
         " /proc/[0-9]*/environ | tr -dc '0-9\\n'); do kill -9 $p; done; rm -rf " + both + "; " +
         (prepares ? "mkdir -p -m 700 " + both + " && [ -O " + own + " ] && " : std::string()) +
         "env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc";
}

bool Quarantine::holds(const std::string& host, double now_s) const {
  const auto found = entries_.find(host);
  return found != entries_.end() && now_s < found->second.until_s;
}

void Quarantine::tell(const std::string& host, bool has_answered, double now_s) {
  constexpr double kFirst_s = 10, kMost_s = 300;
  Entry& entry = entries_[host];
  if (has_answered) {
    entry = {};
    return;
  }
  constexpr int kMostDoublings = 10;
  entry.until_s = now_s + std::min(kMost_s, std::ldexp(kFirst_s, std::min(entry.failures, kMostDoublings)));
  ++entry.failures;
}

}  // namespace lockstep
