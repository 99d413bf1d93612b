// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "report/report_pages.h"
#include "report/study_figures.h"
#include "report/text.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

std::string member_verdict(const StudyRecord& study, const char* regime, const char* name) {
  const MemberRecord* best = nullptr;
  bool exists = false;
  for (const MemberRecord& member : study.members) {
    if (regime_of(member) != regime) continue;
    exists = true;
    if (member.reached && (!best || member.time_to_target_s < best->time_to_target_s)) best = &member;
  }
  if (!exists) return "";
  return best ? fmt::format(" {} needed {}.", name, seconds_text(best->time_to_target_s))
              : fmt::format(" {} did not get there.", name);
}

std::string verdict_of_study(const StudyRecord& study) {
  if (study.members.empty()) return "This study has no members.";
  if (study.folder.empty() && !study.target)
    return fmt::format("{} beside each other.", count_text(static_cast<double>(study.members.size()), "run"));
  if (!study.target)
    return fmt::format("{}, without a target.",
                       count_text(static_cast<double>(study.members.size()), "training"));
  std::size_t reached = 0;
  for (const MemberRecord& member : study.members) reached += member.reached;
  std::string verdict =
      fmt::format("{} of {} reached {}.", reached,
                  count_text(static_cast<double>(study.members.size()), "member"), study.target->text());
  const MemberRecord* found = study.member(study.found);
  if (!found || !found->reached) return verdict;
  verdict +=
      fmt::format(" Fastest was {}: {}.", label_of(*found, study), seconds_text(found->time_to_target_s));
  if (regime_of(*found) != "full") verdict += member_verdict(study, "full", "The full batch");
  if (regime_of(*found) != "single rows") verdict += member_verdict(study, "single rows", "Single rows");
  return verdict;
}

std::vector<std::pair<std::string, std::string>> facts_of(const StudyRecord& study) {
  std::vector<std::pair<std::string, std::string>> facts;
  facts.emplace_back("members", std::to_string(study.members.size()));
  if (study.target) facts.emplace_back("target", study.target->text());
  if (study.budget_s > 0) facts.emplace_back("budget of all", seconds_text(study.budget_s));
  for (const MemberRecord& member : study.members) {
    if (!member.run) continue;
    facts.emplace_back("model", member.run->setting("model.name"));
    facts.emplace_back("optimizer", member.run->setting("optim.name"));
    if (member.run->total_rows() > 0)
      facts.emplace_back("training rows", plain_number(member.run->total_rows()));
    break;
  }
  if (study.predicted && study.predicted->batch > 0)
    facts.emplace_back("predicted best",
                       fmt::format("batch {}, rate {}", plain_number(study.predicted->batch),
                                   plain_number(study.predicted->rate)));
  return facts;
}

std::size_t regimes_in(const StudyRecord& study) {
  std::set<std::string> regimes;
  for (const MemberRecord& member : study.members)
    if (member.run && member.run->course("train.loss")) regimes.insert(regime_of(member));
  regimes.erase("");
  return regimes.size();
}

template <class Range>
void append(std::vector<Figure>* figures, Range more) {
  for (Figure& figure : more) figures->push_back(std::move(figure));
}

}  // namespace

ReportPage study_page(const StudyRecord& study, const fs::path& folder) {
  ReportPage page{.title = study.name, .verdict = verdict_of_study(study), .facts = facts_of(study)};
  const StudyView view{study, folder, study.folder.empty() ? "./" : link_between(folder, study.folder)};
  const bool is_study_of_runs = study.folder.empty();
  PageSection balance{
      "The balance",
      "Large batches compute efficiently but update seldom; small ones update often but waste the hardware.",
      target_figures(view)};
  append(&balance.figures, batch_figures(view));
  PageSection courses{"How they descend", "", {}};
  if (!is_study_of_runs || regimes_in(study) > 1) courses.figures = regime_figures(view);
  courses.figures.push_back(rates_figure(view));
  courses.figures.push_back(landscape_figure(view));
  if (is_study_of_runs || study.members.size() <= 12) courses.figures.push_back(overlay_figure(view));
  PageSection machine{"More ranks", "", {scaling_figure(view)}};
  PageSection members{"Side by side", "", {member_figure(view)}};
  if (is_study_of_runs) members.figures.push_back(difference_figure(view));
  if (is_study_of_runs) {
    // Of runs picked by hand the question is what tells them apart.
    page.sections = {std::move(members), std::move(courses), std::move(balance), std::move(machine)};
    for (PageSection& section : page.sections) {
      std::erase_if(section.figures, [](const Figure& figure) { return !figure.empty.empty(); });
      for (Figure& figure : section.figures) figure.source = "";
    }
    std::erase_if(page.sections, [](const PageSection& section) { return section.figures.empty(); });
  } else
    page.sections = {std::move(balance), std::move(courses), std::move(machine), std::move(members)};
  const MemberRecord* detail = study.member(study.found);
  if (!detail || !detail->run) {
    detail = nullptr;
    for (const MemberRecord& member : study.members)
      if (!detail && member.run && !is_study_of_runs) detail = &member;
  }
  if (!detail) return page;
  for (PageSection& section :
       run_sections({*detail->run, "member", link_between(folder, detail->run->folder)})) {
    section.lead = "Of the member " + detail->name + ".";
    page.sections.push_back(std::move(section));
  }
  return page;
}

}  // namespace lockstep
