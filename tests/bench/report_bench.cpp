// SPDX-License-Identifier: Apache-2.0
// The report of a run with a million lines of metrics: its seconds and its memory, after a check that its one
// peak is in it. report_bench [LINES]
#include <fmt/format.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/atomic_file.h"
#include "core/clock.h"
#include "report/report.h"
#include "support/temporary_folder.h"

namespace lockstep {
namespace {

void write_metrics(const std::filesystem::path& run, int lines) {
  std::filesystem::create_directories(run);
  std::FILE* file = std::fopen((run / "metrics.jsonl").c_str(), "w");
  for (int step = 1; step <= lines; ++step) {
    const double loss = step == lines / 3 ? 777.25 : 0.3 + 2 / std::sqrt(step) + 0.05 * std::sin(step * 1.7);
    fmt::print(file,
               "{{\"kind\":\"step\",\"step\":{},\"epoch\":{},\"rows\":{},\"train_s\":{},\"train.loss\":{},"
               "\"train.accuracy\":{},\"rate\":{},\"gradient_norm\":{},\"train.loss_min\":{},"
               "\"train.loss_max\":{},\"batch\":256,\"update_ratio\":{}}}\n",
               step, step / 234.375, step * 256, step * 0.000317, loss, 1 - loss / 3, 0.1 / (1 + step * 1e-6),
               loss * 0.7, loss * 0.9, loss * 1.1, loss * 0.001);
    if (step % 1000 == 0)
      fmt::print(file,
                 "{{\"kind\":\"evaluation\",\"step\":{},\"epoch\":{},\"rows\":{},\"train_s\":{},\"best\":"
                 "true,\"valid.loss\":{}}}\n",
                 step, step / 234.375, step * 256, step * 0.000317, loss);
  }
  std::fclose(file);
}

int bench(int lines) {
  const testing::TemporaryFolder folder;
  const auto run = folder.path() / "run";
  write_metrics(run, lines);
  const double start = now_seconds();
  write_report({run}, run / "report.html");
  const double seconds = now_seconds() - start;
  const std::string html = read_file(run / "report.html");
  if (html.find("777.25") == std::string::npos) {
    fmt::print(stderr, "the peak is lost\n");
    return 1;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("{} lines, {:.0f} MB: {:.2f} s, at most {} MB of memory, a page of {:.0f} KB\n", lines,
             static_cast<double>(std::filesystem::file_size(run / "metrics.jsonl")) / 1e6, seconds,
             usage.ru_maxrss / 1024, static_cast<double>(html.size()) / 1e3);
  return 0;
}

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) {
  return lockstep::bench(argc > 1 ? std::atoi(argv[1]) : 1000000);
}
