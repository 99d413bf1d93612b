// SPDX-License-Identifier: Apache-2.0
#include "report/watch_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/atomic_file.h"
#include "core/json.h"
#include "lockstep/core/error.h"
#include "report/text.h"

namespace lockstep {

namespace {

using Numbers = LiveRun::Numbers;

constexpr double kSlowShare = 0.2;  // as the progress log names a rank

double number(const Numbers& numbers, const std::string& key) {
  const auto found = numbers.find(key);
  return found == numbers.end() ? std::nan("") : found->second;
}

// Metrics are compared in their fourth digit.
std::string text_of(double value) {
  return std::isfinite(value) ? fmt::format("{:.4g}", value) : "–";
}

// Characters, not bytes.
std::string clipped(const std::string& line, int width) {
  int characters = 0;
  for (std::size_t i = 0; i < line.size(); ++i)
    if ((line[i] & 0xC0) != 0x80 && ++characters > width) return line.substr(0, i);
  return line;
}

std::string state_line(const LiveRun& run) {
  const std::string path = run.directory().string();
  switch (run.state()) {
    case LiveRun::State::kNothing:
      return "nothing yet: no line in metrics.jsonl, and no process holds the lock";
    case LiveRun::State::kRunning:
      if (!run.has_lines()) return "starting: no line in metrics.jsonl yet";
      return run.silent_s() > 60 ? fmt::format("running, but silent for {}", seconds_text(run.silent_s()))
                                 : "running";
    case LiveRun::State::kKilled:
      return fmt::format(
          "killed: no summary, and no process holds the lock; last line {} ago. `lockstep resume "
          "{}` continues",
          seconds_text(run.silent_s()), path);
    case LiveRun::State::kFinished:
      if (run.status() == "stopped") return "stopped; `lockstep resume " + path + "` continues";
      return run.status() == "finished" ? "finished" : "ended: " + run.status();
  }
  return "";
}

std::string progress_line(const LiveRun& run) {
  const Numbers& step = run.last("step");
  const double at = run.step(), total = number(run.last("schema"), "total_steps");
  std::string line = "step " + plain_number(at);
  if (total > 0) {
    constexpr int kBar = 20;
    const double share = std::min(at / total, 1.0);
    line += fmt::format(" of {}  ", plain_number(total));
    for (int i = 0; i < kBar; ++i) line += i < share * kBar ? "█" : "·";
    line += fmt::format("  {:.0f} %", 100 * share);
  }
  line += fmt::format("  epoch {:.2f}", number(step, "epoch") * at / number(step, "step"));
  if (run.state() == LiveRun::State::kRunning) line += "  " + seconds_text(run.seconds_left()) + " left";
  return line;
}

std::string evaluation_line(const LiveRun& run) {
  const Numbers& values = run.last("evaluation");
  std::string line;
  for (const char* name :
       {"valid.loss", "valid.accuracy", "valid.rmse", "test.loss", "test.accuracy", "test.rmse"})
    if (values.contains(name))
      line += fmt::format("{}{} {}", line.empty() ? "" : " · ", name, text_of(number(values, name)));
  line += fmt::format(" at step {}", plain_number(number(values, "step")));
  const std::string& watch = run.watch();
  if (run.best().contains(watch))
    line += fmt::format("; best {} {} at step {}", watch, text_of(number(run.best(), watch)),
                        plain_number(number(run.best(), "step")));
  return line;
}

std::string noise_line(const LiveRun& run) {
  const Numbers& noise = run.last("noise");
  return fmt::format("scale {} rows, smoothed {}; batch {}", text_of(number(noise, "noise.scale")),
                     text_of(number(noise, "noise.scale_smoothed")),
                     plain_number(number(run.last("step"), "batch")));
}

std::string ranks_line(const LiveRun& run) {
  const Numbers& time = run.last("time");
  const double share = number(time, "late_share");
  if (!(share > kSlowShare)) return "no rank holds up the others";
  return fmt::format("rank {} is slow: {} ms later than the others to every step, {:.0f} % of a step",
                     plain_number(number(time, "slowest")), text_of(share * number(time, "step_ms")),
                     100 * share);
}

}  // namespace

std::string sparkline(const std::vector<double>& values, int width) {
  static constexpr const char* kLevels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto columns = std::min(values.size(), static_cast<std::size_t>(std::max(width, 1)));
  std::vector<double> means;
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (std::size_t i = 0; i < columns; ++i) {
    const std::size_t first = i * values.size() / columns, last = (i + 1) * values.size() / columns;
    double sum = 0;
    for (std::size_t j = first; j < last; ++j) sum += values[j];
    means.push_back(sum / static_cast<double>(last - first));
    if (!std::isfinite(means.back())) continue;
    least = std::min(least, means.back());
    most = std::max(most, means.back());
  }
  std::string line;
  for (const double mean : means)
    line += !std::isfinite(mean)
                ? "!"
                : kLevels[most > least ? std::lround(7 * (mean - least) / (most - least)) : 0];
  return line;
}

std::string watch_screen(const LiveRun& run, int width) {
  std::string screen;
  const auto add = [&](const char* name, const std::string& text) {
    screen += clipped(fmt::format("{:<7} {}", name, text), width) + "\n";
  };
  add("run", run.directory().string());
  add("state", state_line(run));
  if (const Numbers& schema = run.last("schema"); !schema.empty())
    add("", fmt::format("{} rows × {} features, {} parameters, {} shards on {} ranks",
                        plain_number(number(schema, "rows")), plain_number(number(schema, "features")),
                        plain_number(number(schema, "parameters")), plain_number(number(schema, "shards")),
                        plain_number(number(schema, "ranks"))));
  const Numbers& step = run.last("step");
  if (!step.empty()) {
    const int room = std::clamp(width - 20, 1, 60);
    add("steps", progress_line(run));
    add("loss", fmt::format("{:<10} {}", text_of(number(step, "train.loss")), sparkline(run.losses(), room)));
  }
  if (!run.last("evaluation").empty()) add("metrics", evaluation_line(run));
  if (step.empty()) return screen;
  add("update", fmt::format("rate {} · gradient norm {} · update/weights {}", text_of(number(step, "rate")),
                            text_of(number(step, "gradient_norm")), text_of(number(step, "update_ratio"))));
  if (!run.last("noise").empty()) add("noise", noise_line(run));
  add("speed", fmt::format("{} rows/s · {} ms a step · batch {}", plain_number(run.rows_per_s()),
                           text_of(run.step_ms()), plain_number(number(step, "batch"))));
  if (!run.last("time").empty() && number(run.last("schema"), "ranks") > 1) add("ranks", ranks_line(run));
  return screen;
}

std::string study_screen(const std::filesystem::path& study, int width) {
  const Json json = Json::parse(read_file(study / "study.json"), nullptr, false);
  if (!json.is_object() || !json.contains("members") || !json["members"].is_array())
    throw Error(ExitCode::kData, (study / "study.json").string() + ": is not a study");
  const auto value = [](const Json& member, const char* key) {
    const auto found = member.find(key);
    return found != member.end() && found->is_number() ? found->get<double>() : std::nan("");
  };
  std::string screen = clipped(fmt::format("{:<24} {:<10} {:>10} {:>10} {:>12} {:>14}", "member", "status",
                                           "steps", "best", "time", "to the target"),
                               width) +
                       "\n";
  for (const Json& member : json["members"])
    screen += clipped(fmt::format("{:<24} {:<10} {:>10} {:>10} {:>12} {:>14}", member.value("name", "?"),
                                  member.value("status", "?"), plain_number(value(member, "steps")),
                                  text_of(value(member, "best")), seconds_text(value(member, "train_s")),
                                  seconds_text(value(member, "time_to_target_s"))),
                      width) +
              "\n";
  return screen;
}

}  // namespace lockstep
