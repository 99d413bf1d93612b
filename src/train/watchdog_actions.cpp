// SPDX-License-Identifier: Apache-2.0
// What a Watchdog does to the process it guards. The state of signal handlers is global, as they are.
#include <execinfo.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.h"
#include "lockstep/core/error.h"
#include "train/launcher_watch.h"
#include "train/trainer.h"
#include "train/watchdog.h"

namespace lockstep {

namespace {

constexpr unsigned kLastResort_s = 3;
constexpr int kMostFrames = 64;
constexpr double kStackWait_s = 0.5;
constexpr int kLongestPoll_ms = 500;

std::array<void*, kMostFrames> frames;
std::atomic<int> frame_count{0};  // −1: to come
std::atomic<bool> is_dump_asked{false};

// Either the watchdog wants the stack of this thread, or somebody else a dump.
void on_user_signal(int) {
  const int saved = errno;
  if (frame_count.load() == -1)
    frame_count.store(backtrace(frames.data(), kMostFrames));
  else
    is_dump_asked.store(true);
  errno = saved;
}

void end_at_once(int) {
  _exit(static_cast<int>(ExitCode::kStopped));
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

// A full pipe is not waited for: who should read it may be what hangs.
bool takes_more(int descriptor) {
  pollfd place{descriptor, POLLOUT, 0};
  return poll(&place, 1, kLongestPoll_ms) == 1;
}

void write_all(int descriptor, std::string_view text) {
  while (!text.empty() && takes_more(descriptor)) {
    const ssize_t count = write(descriptor, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (count < 0 && errno != EINTR) return;
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Of the thread that the watchdog guards.
class StackTaker {
 public:
  StackTaker() : thread_(pthread_self()), number_(static_cast<int>(syscall(SYS_gettid))) {
    std::array<void*, 1> one{};
    backtrace(one.data(), 1);  // loads what it needs, which a signal handler must not
    handle(SIGUSR2, on_user_signal);
  }

  /// Of the last take(): how many frames.
  int take() const {
    frame_count.store(-1);
    pthread_kill(thread_, SIGUSR2);
    const double start = now_seconds();
    while (frame_count.load() < 0 && now_seconds() - start < kStackWait_s) usleep(1000);
    int missing = -1;
    frame_count.compare_exchange_strong(missing, 0);
    return frame_count.load();
  }
  /// "S", where it sleeps in the kernel.
  std::string state() const {
    const std::string folder = fmt::format("/proc/self/task/{}/", number_);
    const std::string stat = first_line(folder + "stat"), place = first_line(folder + "wchan");
    const std::size_t name_end = stat.rfind(") ");
    return fmt::format("state {}{}", name_end == std::string::npos ? '?' : stat[name_end + 2],
                       place.empty() || place == "0" ? "" : " in " + place);
  }

 private:
  pthread_t thread_;
  int number_;
};

void write_dump(int descriptor, const std::string& text, int frames_taken) {
  write_all(descriptor, text);
  if (takes_more(descriptor)) backtrace_symbols_fd(frames.data(), frames_taken, descriptor);
}

double cpu_seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Of all threads but the one that asks.
double seconds_worked() {
  return cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
}

}  // namespace

WatchdogActions process_actions(bool is_launched) {
  const StackTaker stack;
  WatchdogActions actions;
  actions.now = now_seconds;
  actions.works = [before = seconds_worked()]() mutable {
    constexpr double kLeast_s = 0.002;
    const double now = seconds_worked();
    return now - std::exchange(before, now) > kLeast_s;
  };
  // PR_SET_PDEATHSIG would follow the thread that forked, and mpirun ends its launching threads.
  actions.is_orphan = [launcher = LauncherWatch(is_launched)] { return launcher.is_gone(); };
  actions.is_asked = [] { return is_dump_asked.exchange(false); };
  actions.say = [](const std::string& line) { write_all(STDERR_FILENO, "lockstep: " + line + "\n"); };
  actions.dump = [stack](const std::string& line, const std::filesystem::path& path, const std::string& all) {
    std::string head = fmt::format("stack ({}; addr2line -Cfe tells more):\n", stack.state());
    const int count = stack.take();
    if (count == 0) head += "  the thread does not answer\n";
    write_dump(STDERR_FILENO, line + head, count);
    if (path.empty()) return;
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (file < 0) return;
    write_dump(file, all + head, count);
    close(file);
  };
  actions.stop = [] { Trainer::stop_requested.store(true, std::memory_order_relaxed); };
  actions.arm_end = [] {
    handle(SIGALRM, end_at_once);
    alarm(kLastResort_s);
  };
  actions.end = [] { end_at_once(0); };
  return actions;
}

}  // namespace lockstep
