// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "report/quality_figures.h"
#include "report/report_pages.h"
#include "report/text.h"
#include "report/time_figures.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

std::vector<std::pair<std::string, std::string>> facts_of(const RunRecord& run) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty() && value != "–" && value != "0") facts.emplace_back(name, value);
  };
  add("model", run.setting("model.name"));
  add("optimizer", run.setting("optim.name"));
  add("rate", run.setting("optim.learning_rate"));
  add("batch", plain_number(run.batch()));
  add("training rows", plain_number(run.total_rows()));
  add("ranks", plain_number(run.number("ranks", run.fact("ranks", 0))));
  add("shards", plain_number(run.number("shards", run.fact("shards", 0))));
  add("steps", plain_number(run.steps()));
  add("training time", seconds_text(run.number("train_s", 0)));
  add("rows per second", plain_number(run.number("rows_per_s", 0)));
  add("ended", run.status());
  const auto hash = run.endings.find("parameters_hash");
  if (hash != run.endings.end()) add("parameters_hash", hash->second);
  return facts;
}

}  // namespace

std::string link_between(const fs::path& page_folder, const fs::path& folder) {
  std::error_code error;
  const fs::path way = fs::relative(folder, page_folder, error);
  const std::string text = error ? "" : way.generic_string();
  return text.empty() || text == "." ? "./" : escape_link(text) + "/";
}

std::vector<PageSection> run_sections(const RunView& view) {
  std::vector<Figure> course = {cost_figure(view)};
  for (Figure& figure : metric_figures(view)) course.push_back(std::move(figure));
  std::vector<Figure> steps = {noise_figure(view)};
  for (Figure& figure : step_figures(view)) steps.push_back(std::move(figure));
  return {{"Cost and metrics", "", std::move(course)},
          {"Noise, rate and size of the steps", "", std::move(steps)},
          {"What the model decides", "", quality_figures(view)},
          {"Time", "", time_figures(view)}};
}

ReportPage run_page(const RunRecord& run, const fs::path& folder) {
  ReportPage page{
      .title = run.setting("run.name").empty() ? run.name : run.setting("run.name") + " (" + run.name + ")",
      .verdict = verdict_of(run),
      .facts = facts_of(run)};
  if (run.unread_lines > 0)
    page.verdict += fmt::format(" {} of metrics.jsonl could not be read.",
                                count_text(static_cast<double>(run.unread_lines), "line"));
  page.sections = run_sections({run, "run", link_between(folder, run.folder)});
  return page;
}

}  // namespace lockstep
