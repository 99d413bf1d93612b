// SPDX-License-Identifier: Apache-2.0
#include "report/report.h"

#include <algorithm>

#include "core/atomic_file.h"
#include "lockstep/core/error.h"
#include "report/draw_plot.h"
#include "report/page.h"
#include "report/page_parts.h"
#include "report/report_pages.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

ReportPage page_of(const std::vector<fs::path>& paths, const fs::path& output) {
  const fs::path folder = output.has_parent_path() ? output.parent_path() : fs::path(".");
  if (paths.size() == 1 && is_study(paths[0])) return study_page(read_study(paths[0]), folder);
  for (const fs::path& path : paths)
    if (is_study(path))
      throw Error(ExitCode::kUsage, path.string() + ": is a study; a report is of one study, or of runs");
  if (paths.size() == 1) return run_page(read_run(paths[0]), folder);
  std::vector<RunRecord> runs;
  for (const fs::path& path : paths) runs.push_back(read_run(path, 100));
  return study_page(study_of_runs(std::move(runs)), folder);
}

}  // namespace

void write_report(const std::vector<fs::path>& runs_or_study, const fs::path& output) {
  write_file_atomically(output, page_html(page_of(runs_or_study, output)));
}

void write_picture(const std::vector<fs::path>& runs_or_study, const std::string& chart,
                   const fs::path& output) {
  const ReportPage page = page_of(runs_or_study, output);
  std::string known;
  for (const PageSection& section : page.sections)
    for (const Figure& figure : section.figures) {
      if (figure.plots.size() == 1) known += (known.empty() ? "" : ", ") + figure.id;
      if (figure.id != chart) continue;
      if (figure.plots.empty())
        throw Error(ExitCode::kData, chart + ": there is nothing to draw. " + figure.empty);
      Plot plot = figure.plots.front();
      plot.title = figure.title;
      plot.width = 640;
      plot.height = 360;
      write_file_atomically(output,
                            draw_plot(plot, {chart, figure.title, figure.sentence, kPlotStyle}) + "\n");
      return;
    }
  throw Error(ExitCode::kUsage, "no chart " + chart + "; this report has " + known);
}

}  // namespace lockstep
