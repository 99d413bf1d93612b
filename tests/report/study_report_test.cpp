// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "lockstep/core/error.h"
#include "report/fixture.h"
#include "report/report.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using testing::data_of;
using testing::figure_of;
using testing::Json;
using testing::MadeRun;
using testing::TemporaryFolder;

/// A study over batches × rates × ranks with a U-shaped time to the target. A rate of 4 diverges.
struct MadeStudy {
  std::vector<double> batches = {1, 10, 100, 1000}, rates = {0.05, 0.5, 4}, ranks = {1, 2};
  bool reaches = true, has_target = true, has_landscape = true;

  static double time_of(double batch, double rate) { return (0.01 * batch + 1) * (1 + 50 / batch) / rate; }

  Json member(const fs::path& folder, double batch, double rate, double count) const {
    const bool diverges = rate > 1, reached = reaches && !diverges && batch != 1 && rate > 0.1;
    MadeRun run{.name = "b" + std::to_string(static_cast<int>(batch)) + "-r" + std::to_string(rate) + "-p" +
                        std::to_string(static_cast<int>(count)),
                .batch = batch,
                .rate = rate,
                .ranks = static_cast<int>(count),
                .status = diverges ? "diverged" : "finished",
                .target = "valid.accuracy >= 0.6"};
    if (diverges) run.not_finite_from = 20;
    run.write(folder / "members");
    const auto when = [&](double value) { return reached ? Json(value / count) : Json(); };
    return {{"name", run.name},
            {"directory", "members/" + run.name},
            {"settings",
             {{"train.batch", batch == 1000 ? Json("full") : Json(batch)}, {"optim.learning_rate", rate}}},
            {"ranks", count},
            {"batch", batch},
            {"rate", rate},
            {"seed", 1},
            {"status", diverges  ? "diverged"
                       : reached ? "target"
                                 : "budget"},
            {"steps", 50},
            {"epochs", 5},
            {"train_s", 1},
            {"rows_per_s", 1e4 * batch * count * (count > 1 ? 0.8 : 1)},
            {"step_ms", 1},
            {"time_to_target_s", when(time_of(batch, rate))},
            {"steps_to_target", when(100)},
            {"epochs_to_target", when(3)},
            {"best", diverges ? Json() : Json(0.8)},
            {"last_epoch_loss_spread", 0.1 / batch},
            {"limit_share", nullptr}};
  }

  fs::path write(const fs::path& folder) const {
    Json json = {{"schema", "lockstep.study/1"},
                 {"name", "made"},
                 {"budget_s", 60},
                 {"predicted", {{"batch", 64}, {"rate", 0.4}, {"ranks", 2}, {"time_s", 2}}},
                 {"members", Json::array()},
                 {"found", reaches ? Json{{"member", "b100-r0.500000-p2"}} : Json()}};
    json["target"] =
        has_target ? Json{{"metric", "valid.accuracy"}, {"at_least", true}, {"value", 0.6}} : Json();
    for (const double batch : batches)
      for (const double rate : rates)
        for (const double count : ranks) json["members"].push_back(member(folder, batch, rate, count));
    write_file_atomically(folder / "study.json", json.dump());
    Json landscape = {{"exact", true}, {"explained", 1}, {"axes", {"w0", "w1"}}};
    for (int i = 0; i < 25; ++i) landscape["x"].push_back(i - 12.0), landscape["y"].push_back(i - 12.0);
    for (int j = 0; j < 25; ++j)
      for (int i = 0; i < 25; ++i)
        landscape["loss"][static_cast<std::size_t>(j)].push_back((i - 12) * (i - 12) +
                                                                 2 * (j - 12) * (j - 12));
    for (const char* regime : {"full", "mini-batch", "single rows"})
      landscape["paths"].push_back(
          {{"member", "m"}, {"regime", regime}, {"points", {{-10, 9, 0}, {-4, 1, 5}, {0, 0.5, 9}}}});
    if (has_landscape) write_file_atomically(folder / "landscape.json", landscape.dump());
    return folder;
  }
};

std::string report_of(const fs::path& study) {
  write_report({study}, study / "report.html");
  return read_file(study / "report.html");
}

TEST(StudyReport, ShowsTheTradeOffWithFoundPredictedAndFailed) {
  const TemporaryFolder folder;
  const std::string html = report_of(MadeStudy{}.write(folder.path()));
  EXPECT_LT(html.size(), 1000000u);
  const Json data = data_of(html);
  ASSERT_TRUE(data.is_object());
  const Json& plot = data.at("figures").at("trade-off").at(0);
  std::map<std::string, Json> series;
  for (const Json& one : plot.at("series")) series[one.at("name")] = one;
  const Json& best = series.at("best, 2 ranks");
  EXPECT_EQ(best.at("x"), (Json{10, 100, 1000}));
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_DOUBLE_EQ(best.at("y")[i].get<double>(),
                     MadeStudy::time_of(best.at("x")[i].get<double>(), 0.5) / 2);
  EXPECT_EQ(series.at("diverged").at("x").size(), 8u);
  EXPECT_EQ(series.at("target not reached").at("x").size(), 10u);
  ASSERT_EQ(plot.at("notes").size(), 4u);  // where the axis ends, predicted, found, found again as a point
  EXPECT_EQ(plot.at("notes")[1].at("x"), 64);
  EXPECT_EQ(plot.at("notes")[2].at("x"), 100);
  EXPECT_EQ(plot.at("notes")[3].at("y"), MadeStudy::time_of(100, 0.5) / 2);
  const std::string figure = figure_of(html, "trade-off");
  EXPECT_NE(figure.find("Batch 100 took the least"), std::string::npos);
  EXPECT_NE(figure.find("18 members did not reach it"), std::string::npos);
  EXPECT_NE(figure.find("./study.json"), std::string::npos);
}

TEST(StudyReport, ShowsEveryChartOfAStudy) {
  const TemporaryFolder folder;
  const std::string html = report_of(MadeStudy{}.write(folder.path()));
  for (const char* id : {"trade-off", "steps-to-target", "epochs-to-target", "best-metric", "spread",
                         "rows-per-second", "regimes", "regimes-epochs", "regimes-time", "rates", "landscape",
                         "scaling", "member-cost", "member-shares"}) {
    EXPECT_NE(figure_of(html, id).find("<svg"), std::string::npos) << id;
    EXPECT_EQ(figure_of(html, id).find("class=\"none\""), std::string::npos) << id;
  }
  EXPECT_NE(figure_of(html, "members").find("b10-r4.000000-p1"), std::string::npos);
  EXPECT_TRUE(figure_of(html, "limit-share").empty());  // none was measured
  EXPECT_NE(figure_of(html, "rates").find("0.05 is slow, 0.5 is good, 4 is diverging"), std::string::npos)
      << figure_of(html, "rates").substr(0, 3000);
  EXPECT_NE(figure_of(html, "scaling").find("80 %"), std::string::npos);
  EXPECT_NE(figure_of(html, "landscape").find("two parameters"), std::string::npos);
  EXPECT_EQ(data_of(html).at("figures").at("regimes").size(), 3u);
}

TEST(StudyReport, IsHonestWhereThereIsNothingToShow) {
  const TemporaryFolder folder;
  const std::string html = report_of(
      MadeStudy{.batches = {100}, .rates = {0.5}, .ranks = {1}, .reaches = false, .has_landscape = false}
          .write(folder.path()));
  EXPECT_NE(figure_of(html, "trade-off").find("None of 1 member reached"), std::string::npos);
  EXPECT_NE(figure_of(html, "scaling").find("1 rank: there is no scaling"), std::string::npos);
  EXPECT_NE(figure_of(html, "rates").find("No two members"), std::string::npos);
  EXPECT_NE(figure_of(html, "landscape").find("no landscape.json"), std::string::npos);
  EXPECT_NE(figure_of(html, "regimes").find("has no member with the full batch and single rows"),
            std::string::npos);
  const TemporaryFolder other;
  const std::string no_target =
      report_of(MadeStudy{.ranks = {1}, .reaches = false, .has_target = false}.write(other.path()));
  EXPECT_NE(figure_of(no_target, "trade-off").find("No target was set"), std::string::npos);
  write_file_atomically(other.path() / "study.json",
                        R"({"schema":"lockstep.study/1","members":[{"name":"a","status":"pending"}]})");
  EXPECT_TRUE(data_of(report_of(other.path())).is_object());
  write_file_atomically(other.path() / "study.json", R"({"schema":"lockstep.study/1","members":[]})");
  EXPECT_TRUE(data_of(report_of(other.path())).is_object());
}

TEST(StudyReport, RunsBesideEachOtherShowWhatDiffers) {
  const TemporaryFolder folder;
  const fs::path a = MadeRun{.name = "a", .target = "valid.accuracy >= 0.6"}.write(folder.path());
  const fs::path b =
      MadeRun{.name = "b", .rate = 0.25, .target = "valid.accuracy >= 0.6"}.write(folder.path());
  const fs::path output = folder.path() / "both.html";
  write_report({a, b}, output);
  std::string html = read_file(output);
  const std::string differences = figure_of(html, "differences");
  EXPECT_NE(differences.find("optim.learning_rate"), std::string::npos);
  EXPECT_EQ(differences.find("train.batch"), std::string::npos);
  EXPECT_NE(differences.find("1 key of their configs differ"), std::string::npos);
  EXPECT_NE(differences.find("same parameters_hash"), std::string::npos);
  EXPECT_EQ(data_of(html).at("figures").at("overlay").at(0).at("series").size(), 2u);

  write_file_atomically(b / "summary.json", R"({"status":"finished","parameters_hash":"ffff"})");
  for (const fs::path& run : {a, b})
    write_file_atomically(run / "metrics.jsonl", read_file(run / "metrics.jsonl") +
                                                     R"({"kind":"hash","step":1,"parameters_hash":"00aa"})" +
                                                     "\n" + R"({"kind":"hash","step":2,"parameters_hash":")" +
                                                     (run == a ? "01" : "02") + "\"}\n");
  write_report({a, b}, output);
  html = read_file(output);
  EXPECT_NE(figure_of(html, "differences").find("a and b have different weights, first seen at step 2"),
            std::string::npos);
}

TEST(StudyReport, APictureStandsAlone) {
  const TemporaryFolder folder;
  const fs::path study = MadeStudy{}.write(folder.path()), output = folder.path() / "trade-off.svg";
  write_picture({study}, "trade-off", output);
  const std::string svg = read_file(output);
  EXPECT_TRUE(svg.starts_with("<svg xmlns="));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_NE(svg.find("prefers-color-scheme:dark"), std::string::npos);
  EXPECT_LT(svg.size(), 30000u);
  try {
    write_picture({study}, "trade-of", output);
    ADD_FAILURE() << "an unknown chart was drawn";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("trade-off"), std::string::npos);
  }
  EXPECT_THROW(write_picture({study}, "limit-share", output), Error);
}

}  // namespace
}  // namespace lockstep
