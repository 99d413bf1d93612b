// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_command.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>

#include "report/watch_screen.h"

namespace lockstep {

namespace {

constexpr int kInterval_ms = 1000;
constexpr int kWidthElsewhere = 110;

volatile std::sig_atomic_t was_interrupted = 0;

/// Keys come one by one and unseen while this lives.
class RawKeys {
 public:
  RawKeys() {
    is_terminal_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!is_terminal_) return;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  ~RawKeys() {
    if (is_terminal_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  RawKeys(const RawKeys&) = delete;
  RawKeys& operator=(const RawKeys&) = delete;

  /// Whether q is pressed within the interval, or the user interrupts.
  bool wait_for_end() const {
    pollfd keys{STDIN_FILENO, POLLIN, 0};
    const int ready = poll(&keys, is_terminal_ ? 1 : 0, kInterval_ms);
    if (was_interrupted != 0) return true;
    char key = 0;
    return ready > 0 && (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q');
  }

 private:
  termios before_{};
  bool is_terminal_ = false;
};

int terminal_width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kWidthElsewhere;
  return size.ws_col;
}

/// Text at a terminal's end, drawn over the text before.
class Screen {
 public:
  void draw(const std::string& text) {
    if (lines_ > 0) std::printf("\033[%dA\r\033[J", lines_);
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
    lines_ = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  }

 private:
  int lines_ = 0;
};

/// `text` at a width, and whether there is more to come.
int follow(bool is_once, const std::function<std::string(int)>& text, const std::function<bool()>& goes_on) {
  Screen screen;
  if (is_once || isatty(STDOUT_FILENO) != 1) {
    screen.draw(text(isatty(STDOUT_FILENO) == 1 ? terminal_width() : kWidthElsewhere));
    return 0;
  }
  std::signal(SIGINT, [](int) { was_interrupted = 1; });
  const RawKeys keys;
  do screen.draw(text(terminal_width()));
  while (goes_on() && !keys.wait_for_end());
  return 0;
}

int watch(const CommandContext& context) {
  const std::filesystem::path path = context.line.positional()[0];
  const bool is_once = context.line.has("once");
  if (std::filesystem::exists(path / "study.json"))
    return follow(
        is_once, [&](int width) { return study_screen(path, width); }, [] { return true; });
  LiveRun run(path);
  const auto text = [&](int width) {
    run.refresh();
    return watch_screen(run, width);
  };
  return follow(is_once, text, [&] {
    return run.state() == LiveRun::State::kRunning || run.state() == LiveRun::State::kNothing;
  });
}

}  // namespace

void add_watch_command(std::vector<Command>* rows) {
  rows->push_back(
      {{"watch", "RUN|STUDY", 1, 1, false, {{"once", "", "prints the state once, as without a terminal"}}},
       "Follows a run in the terminal: progress, loss, speed, the slow rank; q ends it.",
       watch});
}

}  // namespace lockstep
