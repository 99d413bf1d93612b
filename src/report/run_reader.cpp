// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "core/atomic_file.h"
#include "core/json.h"
#include "lockstep/core/error.h"
#include "report/metrics_intake.h"
#include "report/run_record.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

/// An empty object where there is no such file or it is damaged: a report of what is there is better than
/// none.
Json read_json(const fs::path& file) {
  if (!fs::exists(file)) return Json::object();
  Json json = Json::parse(read_file(file), nullptr, false);
  return json.is_object() ? json : Json::object();
}

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r"), end = text.find_last_not_of(" \t\r");
  return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

// config.toml as a run writes it: tables, and one key a line.
std::map<std::string, std::string> read_settings(const fs::path& file) {
  std::map<std::string, std::string> settings;
  std::ifstream in(file);
  std::string table;
  for (std::string line; std::getline(in, line);) {
    line = trimmed(line);
    const auto equals = line.find('=');
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '[' && line.back() == ']')
      table = line.substr(1, line.size() - 2) + ".";
    else if (equals != std::string::npos)
      settings[table + trimmed(line.substr(0, equals))] = trimmed(line.substr(equals + 1));
  }
  return settings;
}

double number_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() : 0.0;
}

/// Rows of numbers, each at least `width` long; others are left out.
template <std::size_t width>
std::vector<std::array<double, width>> rows_of(const Json& json, const char* key) {
  std::vector<std::array<double, width>> rows;
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) return rows;
  for (const Json& line : *found) {
    if (!line.is_array() || line.size() < width) continue;
    std::array<double, width> row{};
    bool is_whole = true;
    for (std::size_t i = 0; i < width; ++i) {
      is_whole &= line[i].is_number();
      row[i] = line[i].is_number() ? line[i].get<double>() : 0.0;
    }
    if (is_whole) rows.push_back(row);
  }
  return rows;
}

std::vector<std::vector<double>> matrix_of(const Json& json) {
  std::vector<std::vector<double>> matrix;
  if (!json.is_array()) return matrix;
  for (const Json& line : json) {
    matrix.emplace_back();
    if (!line.is_array() || line.size() != json.size()) return {};
    for (const Json& cell : line) matrix.back().push_back(cell.is_number() ? cell.get<double>() : 0.0);
  }
  return matrix;
}

void read_rank_seconds(const Json& list, RunRecord* run) {
  if (!list.is_array() || list.empty()) return;
  run->ranks.resize(std::max(run->ranks.size(), list.size()));
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_object()) continue;
    const double late_ms = run->ranks[i].late_ms;
    run->ranks[i] = {number_of(list[i], "data"),     number_of(list[i], "compute"),
                     number_of(list[i], "exchange"), number_of(list[i], "wait"),
                     number_of(list[i], "update"),   late_ms};
  }
}

void read_summary(const fs::path& file, RunRecord* run) {
  constexpr std::string_view kConfusion = ".confusion";
  const Json json = read_json(file);
  for (const auto& [key, value] : json.items()) {
    if (value.is_number()) run->summary[key] = value.get<double>();
    if (value.is_string()) run->endings[key] = value.get<std::string>();
    if (key.ends_with(kConfusion))
      if (auto matrix = matrix_of(value); !matrix.empty())
        run->confusion[key.substr(0, key.size() - kConfusion.size())] = std::move(matrix);
    if (key == "time.ranks") read_rank_seconds(value, run);
    if (key == "step_ms.histogram") run->step_histogram = rows_of<2>(Json{{"bins", value}}, "bins");
  }
}

std::vector<SetCurves> read_curves(const fs::path& file) {
  std::vector<SetCurves> sets;
  const Json all = read_json(file);
  for (const auto& [name, json] : all.items()) {
    if (!json.is_object()) continue;
    SetCurves set{.set = name};
    set.roc = rows_of<2>(json, "roc");
    set.pr = rows_of<2>(json, "pr");
    set.calibration = rows_of<3>(json, "calibration");
    const Json residuals = json.value("residuals", Json::object());
    if (residuals.is_object()) {
      set.residual_bins = rows_of<3>(residuals, "histogram");
      set.residuals = rows_of<2>(residuals, "scatter");
    }
    const auto classes = json.find("per_class");
    if (classes != json.end() && classes->is_array())
      for (const Json& row : *classes) {
        if (!row.is_object()) continue;
        const Json label = row.value("class", Json());
        set.per_class.push_back({label.is_string() ? label.get<std::string>() : label.dump(),
                                 number_of(row, "rows"), number_of(row, "precision"),
                                 number_of(row, "recall"), number_of(row, "f1")});
      }
    sets.push_back(std::move(set));
  }
  return sets;
}

}  // namespace

RunRecord read_run(const fs::path& folder, std::size_t buckets) {
  if (!fs::is_directory(folder)) throw Error(ExitCode::kData, folder.string() + ": no such run directory");
  if (!fs::exists(folder / "metrics.jsonl") && !fs::exists(folder / "summary.json"))
    throw Error(ExitCode::kData, folder.string() +
                                     ": is no run directory, it has neither metrics.jsonl nor "
                                     "summary.json");
  RunRecord run;
  run.folder = folder;
  const fs::path whole = fs::absolute(folder).lexically_normal();
  run.name = (whole.has_filename() ? whole.filename() : whole.parent_path().filename()).string();
  run.config = read_settings(folder / "config.toml");
  MetricsIntake(&run, buckets).read(folder / "metrics.jsonl");
  read_summary(folder / "summary.json", &run);
  run.curves = read_curves(folder / "curves.json");
  return run;
}

}  // namespace lockstep
