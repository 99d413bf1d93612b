// SPDX-License-Identifier: Apache-2.0
#include "cli/report_command.h"

#include <fmt/format.h>

#include <filesystem>

#include "lockstep/core/error.h"
#include "report/report.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMost = 100;

int report(const CommandContext& context) {
  std::vector<fs::path> paths;
  for (const std::string& argument : context.line.positional()) paths.emplace_back(argument);
  const std::string picture = context.line.text("picture");
  const fs::path fallback = !picture.empty()    ? fs::path(picture + ".svg")
                            : paths.size() == 1 ? paths[0] / "report.html"
                                                : fs::path("report.html");
  const fs::path output = context.line.text("out", fallback.string());
  if (picture.empty())
    write_report(paths, output);
  else
    write_picture(paths, picture, output);
  fmt::print("{}\n", output.string());
  return static_cast<int>(ExitCode::kOk);
}

}  // namespace

void add_report_command(std::vector<Command>* rows) {
  rows->push_back(
      {{"report",
        "RUN... | STUDY",
        1,
        kMost,
        false,
        {{"out", "FILE", "where to write; default report.html in the run or study, of several runs here"},
         {"picture", "CHART", "writes one chart alone as SVG: trade-off, rates, landscape, ..."}}},
       "Draws a run, a study, or runs beside each other as one HTML file that needs no network.",
       report});
}

}  // namespace lockstep
