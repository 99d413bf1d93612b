// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "report/report_pages.h"
#include "report/study_figures.h"
#include "report/text.h"

namespace lockstep {

namespace {

using Rows = std::vector<std::vector<std::string>>;

// One row for each key that is not the same everywhere, one column a run.
Rows differing_keys(const std::vector<const RunRecord*>& runs) {
  std::set<std::string> keys;
  for (const RunRecord* run : runs)
    for (const auto& [key, value] : run->config) keys.insert(key);
  Rows rows = {{"key"}};
  for (const RunRecord* run : runs) rows[0].push_back(run->name);
  for (const std::string& key : keys) {
    std::vector<std::string> row = {key};
    std::set<std::string> values;
    for (const RunRecord* run : runs) {
      const auto value = run->config.find(key);
      row.push_back(value == run->config.end() ? "–" : value->second);
      values.insert(row.back());
    }
    if (values.size() > 1 && key != "run.root") rows.push_back(std::move(row));
  }
  return rows;
}

std::string hash_of_run(const RunRecord& run) {
  const auto hash = run.endings.find("parameters_hash");
  return hash == run.endings.end() ? "" : hash->second;
}

/// The first step whose hash both runs recorded differently; -1: none.
std::int64_t first_difference(const RunRecord& a, const RunRecord& b) {
  const std::map<std::int64_t, std::uint64_t> of_b(b.hashes.begin(), b.hashes.end());
  for (const auto& [step, hash] : a.hashes) {
    const auto other = of_b.find(step);
    if (other != of_b.end() && other->second != hash) return step;
  }
  return -1;
}

std::string hash_sentence(const std::vector<const RunRecord*>& runs) {
  const RunRecord& first = *runs.front();
  std::size_t known = 0, equal = 0;
  std::string differing;
  for (const RunRecord* run : runs) {
    if (hash_of_run(*run).empty()) continue;
    ++known;
    if (hash_of_run(*run) == hash_of_run(first))
      ++equal;
    else if (differing.empty()) {
      const std::int64_t step = first_difference(first, *run);
      differing = fmt::format("{} and {} have different weights", first.name, run->name);
      differing += step >= 0 ? fmt::format(", first seen at step {}", step)
                             : "; no step is known at which both recorded a hash (log.hash_every)";
    }
  }
  if (known < 2 || hash_of_run(first).empty())
    return "Fewer than two of the runs have a parameters_hash to compare.";
  if (equal == known)
    return fmt::format("All {} finished runs have the same parameters_hash, {}.", known, hash_of_run(first));
  return differing + ".";
}

// Members that differ in the ranks alone and took as many steps must have the same weights.
std::string equality_over_ranks(const StudyRecord& study) {
  std::map<std::string, std::set<std::string>> hashes;
  std::map<std::string, std::size_t> counts;
  for (const MemberRecord& member : study.members) {
    if (!member.run || hash_of_run(*member.run).empty()) continue;
    std::string key = fmt::format("{} {} {} {}", member.batch, member.rate, member.seed, member.steps);
    for (const auto& [name, value] : member.settings)
      if (name != "ranks") key += " " + name + "=" + value;
    hashes[key].insert(hash_of_run(*member.run));
    ++counts[key];
  }
  std::size_t compared = 0, differing = 0;
  for (const auto& [key, count] : counts) {
    compared += count > 1;
    differing += hashes[key].size() > 1;
  }
  if (compared == 0) return "";
  if (differing > 0)
    return fmt::format(" {} of {} trainings gave other weights on another number of ranks.", differing,
                       compared);
  return fmt::format(" {} repeated on another number of ranks gave the same parameters_hash each.",
                     count_text(static_cast<double>(compared), "training"));
}

}  // namespace

Figure difference_figure(const StudyView& view) {
  Figure figure{.id = "differences", .title = "What differs between the runs"};
  figure.is_wide = true;
  std::vector<const RunRecord*> runs;
  for (const MemberRecord& member : view.study.members)
    if (member.run && runs.size() < 12) runs.push_back(&*member.run);
  if (runs.size() < 2) {
    figure.empty = "Fewer than two members have left a run directory.";
    return figure;
  }
  const Rows rows = differing_keys(runs);
  figure.sentence =
      (rows.size() == 1 ? "Their configs are the same. "
                        : fmt::format("{} of their configs differ. ",
                                      count_text(static_cast<double>(rows.size() - 1), "key"))) +
      hash_sentence(runs);
  if (rows.size() > 1) figure.drawings = {table_html(rows)};
  figure.table = {{"run", "parameters_hash"}};
  for (const RunRecord* run : runs) figure.table.push_back({run->name, hash_of_run(*run)});
  return figure;
}

Figure member_figure(const StudyView& view) {
  const StudyRecord& study = view.study;
  Figure figure{.id = "members", .title = "Members"};
  figure.is_wide = true;
  Rows rows = {{"member", "batch", "rate", "ranks", "ended", "steps", "epochs", "time", "to target",
                "best " + study.best_metric, "rows/s"}};
  std::map<std::string, int> endings;
  for (const MemberRecord& member : study.members) {
    ++endings[member.status];
    rows.push_back({member.name, plain_number(member.batch), plain_number(member.rate),
                    plain_number(member.ranks), member.status, plain_number(member.steps),
                    plain_number(member.epochs), seconds_text(member.train_s),
                    member.reached ? seconds_text(member.time_to_target_s) : "–", plain_number(member.best),
                    plain_number(member.rows_per_s)});
  }
  for (const auto& [status, count] : endings)
    figure.sentence +=
        fmt::format("{}{} {}", figure.sentence.empty() ? "How they ended: " : ", ", count, status);
  figure.sentence += "." + equality_over_ranks(study);
  figure.drawings = {table_html(rows)};
  figure.source = study.folder.empty() ? "" : view.link + "study.json";
  figure.table = {{"status", "members"}};
  for (const auto& [status, count] : endings) figure.table.push_back({status, std::to_string(count)});
  return figure;
}

}  // namespace lockstep
