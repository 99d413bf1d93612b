// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/atomic_file.h"
#include "support/temporary_folder.h"

namespace lockstep::testing {

using Json = nlohmann::json;

/// A run directory made by hand, as the trainer would leave it.
struct MadeRun {
  std::string name = "run";
  double rows = 1000, batch = 100, rate = 0.5;
  int ranks = 1, steps = 50;
  std::string status = "finished", target = "";
  bool evaluates = true, measures_noise = true, has_summary = true, has_curves = true;
  int not_finite_from = 1 << 30;

  double loss_at(int step) const { return 0.3 + std::exp(-0.02 * rate * step) + 0.01 * std::sin(7.0 * step); }

  std::vector<Json> lines() const {
    std::vector<Json> all = {{{"kind", "schema"},
                              {"name", "lockstep.metrics"},
                              {"version", 1},
                              {"rows", rows},
                              {"batch", batch},
                              {"ranks", ranks},
                              {"watch", "valid.loss"}}};
    for (int step = 1; step <= steps; ++step) {
      Json line = {{"kind", "step"},
                   {"step", step},
                   {"epoch", step * batch / rows},
                   {"rows", step * batch},
                   {"train_s", 0.001 * step * step / 7}};
      Json other = line;
      line["train.loss"] = step < not_finite_from ? Json(loss_at(step)) : Json();
      line["rate"] = rate;
      line["gradient_norm"] = 1.0 / step;
      all.push_back(line);
      other["kind"] = "evaluation";
      other["best"] = step == 30;
      other["valid.loss"] = loss_at(step) + 0.1;
      other["valid.accuracy"] = 1 - loss_at(step) / 2;
      if (evaluates && step % 10 == 0) all.push_back(other);
      if (measures_noise && step % 10 == 0)
        all.push_back({{"kind", "noise"},
                       {"step", step},
                       {"epoch", step * batch / rows},
                       {"rows", step * batch},
                       {"train_s", 0.001 * step},
                       {"noise.scale", 30.0 + step},
                       {"noise.scale_smoothed", 31.5 + step},
                       {"noise.source", "shards"}});
    }
    return all;
  }

  std::filesystem::path write(const std::filesystem::path& root) const {
    const std::filesystem::path folder = root / name;
    std::filesystem::create_directories(folder);
    std::string text;
    for (const Json& line : lines()) text += line.dump() + "\n";
    write_file_atomically(folder / "metrics.jsonl", text);
    write_file_atomically(folder / "config.toml", "[optim]\nlearning_rate = " + std::to_string(rate) +
                                                      "\n[train]\ntarget = " + Json(target).dump() +
                                                      "\nbatch = \"" +
                                                      std::to_string(static_cast<int>(batch)) + "\"\n");
    if (has_summary) write_file_atomically(folder / "summary.json", summary().dump());
    if (has_curves) write_file_atomically(folder / "curves.json", curves().dump());
    return folder;
  }

  Json summary() const {
    return {{"status", status},
            {"parameters_hash", "0123456789abcdef0123456789abcdef"},
            {"ranks", ranks},
            {"batch", batch},
            {"steps", steps},
            {"train_s", 1.25},
            {"rows_per_s", 1e5},
            {"step_ms.p50", 1.0},
            {"step_ms.p95", 1.5},
            {"step_ms.p99", 2.0},
            {"step_ms.histogram", {{0.9, 10}, {1.0, 30}, {1.5, 8}, {2.0, 2}}},
            {"time.ranks",
             {{{"data", 0.1}, {"compute", 0.9}, {"exchange", 0.1}, {"wait", 0.05}, {"update", 0.1}},
              {{"data", 0.1}, {"compute", 0.5}, {"exchange", 0.1}, {"wait", 0.45}, {"update", 0.1}}}},
            {"slowest_rank", 0},
            {"valid.confusion", {{40, 10}, {5, 45}}}};
  }

  static Json curves() {
    return {
        {"valid",
         {{"roc", {{0, 0}, {0.2, 0.8}, {1, 1}}},
          {"pr", {{0, 1}, {0.8, 0.8}, {1, 0.5}}},
          {"calibration", {{0.1, 0.12, 50}, {0.9, 0.8, 50}}},
          {"per_class",
           {{{"class", "0"}, {"rows", 50}, {"precision", 0.89}, {"recall", 0.8}, {"f1", 0.84}},
            {{"class", "1"}, {"rows", 50}, {"precision", 0.82}, {"recall", 0.9}, {"f1", 0.86}}}}}},
        {"test",
         {{"residuals", {{"histogram", {{-1, 0, 30}, {0, 1, 20}}}, {"scatter", {{0.5, 0.6}, {1.5, 1.2}}}}}}}};
  }
};

/// The text between two marks, "" where there is none.
inline std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const auto from = text.find(begin);
  if (from == std::string::npos) return "";
  const auto to = text.find(end, from + begin.size());
  return text.substr(from + begin.size(), to - from - begin.size());
}

/// The data a page holds, as a browser would read it.
inline Json data_of(const std::string& html) {
  return Json::parse(between(html, "<script id=\"report-data\" type=\"application/json\">", "</script>"),
                     nullptr, false);
}

/// The <figure> with this id.
inline std::string figure_of(const std::string& html, const std::string& id) {
  return between(html, "<figure id=\"" + id + "\"", "</figure>");
}

}  // namespace lockstep::testing
