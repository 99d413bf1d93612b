// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>

#include "lockstep/core/error.h"
#include "report/fixture.h"
#include "report/report.h"
#include "report/run_record.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;
using testing::between;
using testing::data_of;
using testing::figure_of;
using testing::Json;
using testing::MadeRun;
using testing::TemporaryFolder;

std::string report_of(const fs::path& run) {
  write_report({run}, run / "report.html");
  return read_file(run / "report.html");
}

/// All texts between two marks.
std::vector<std::string> all_between(const std::string& text, const std::string& begin,
                                     const std::string& end) {
  std::vector<std::string> found;
  for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
    const std::size_t first = at + begin.size();
    found.push_back(text.substr(first, text.find(end, first) - first));
  }
  return found;
}

// What every page must be, whatever it shows.
void expect_sound_page(const std::string& html) {
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
  EXPECT_TRUE(data_of(html).is_object());
  EXPECT_EQ(html.find("http://", html.find("<body>")) == std::string::npos ? 0u : 1u,
            html.find("http://www.w3.org/2000/svg", html.find("<body>")) == std::string::npos ? 0u : 1u);
  for (const char* outside : {"https:", "src=", "@import", "url(http"})
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
  EXPECT_EQ(html.find("nan"), std::string::npos);
  std::set<std::string> ids;
  for (const std::string& id : all_between(html, " id=\"", "\""))
    EXPECT_TRUE(ids.insert(id).second) << "twice: " << id;
  // Every figure draws something and says what, or says why not.
  for (const std::string& text : all_between(html, "<figure", "</figure>")) {
    const bool is_empty = text.find("class=\"none\"") != std::string::npos;
    EXPECT_TRUE(is_empty || (text.find("<figcaption>") != std::string::npos &&
                             text.find("<figcaption></figcaption>") == std::string::npos))
        << text.substr(0, 200);
    if (text.find("<svg") != std::string::npos) {
      EXPECT_NE(text.find("role=\"img\""), std::string::npos);
    }
  }
}

TEST(RunReport, NumbersAreThoseOfTheMetrics) {
  const TemporaryFolder folder;
  const MadeRun made{.steps = 1500};  // more than is shown
  const std::string html = report_of(made.write(folder.path()));
  expect_sound_page(html);
  const Json courses = data_of(html).at("courses");
  std::map<std::string, std::map<double, Json>> lines;  // key, step
  for (const Json& line : made.lines())
    for (const auto& [key, value] : line.items())
      if (value.is_number()) lines[key][line.value("step", 0.0)] = line;
  for (const char* key : {"train.loss", "valid.loss", "valid.accuracy", "rate", "gradient_norm",
                          "noise.scale", "noise.scale_smoothed"}) {
    const Json& course = courses.at(std::string("run/") + key);
    ASSERT_GT(course["value"].size(), 10u) << key;
    ASSERT_LE(course["value"].size(), 402u) << key;
    for (std::size_t i = 0; i < course["value"].size(); ++i) {
      const Json& line = lines.at(key).at(course["step"][i].get<double>());
      EXPECT_EQ(course["value"][i].get<double>(), line[key].get<double>()) << key;
      EXPECT_EQ(course["rows"][i].get<double>(), line["rows"].get<double>());
      EXPECT_NEAR(course["epoch"][i].get<double>(), line["epoch"].get<double>(),
                  1e-6 * line["epoch"].get<double>());
      EXPECT_NEAR(course["train_s"][i].get<double>(), line["train_s"].get<double>(),
                  1e-6 * line["train_s"].get<double>());
    }
  }
}

TEST(RunReport, DrawnPathsStandWhereTheNumbersAre) {
  const TemporaryFolder folder;
  const std::string html = report_of(MadeRun{.steps = 60}.write(folder.path()));
  const Json data = data_of(html);
  const Json& plot = data.at("figures").at("run-cost").at(0);
  const Json& course = data.at("courses").at("run/train.loss");
  std::string path = between(figure_of(html, "run-cost"), "<g class=\"marks\"", "</svg>");
  path = between(path, "<path class=\"line\" d=\"M", "\"");
  std::replace(path.begin(), path.end(), 'L', ' ');
  std::istringstream pixels(path);
  for (std::size_t i = 0; i < course["value"].size(); ++i) {
    double x = 0, y = 0;
    ASSERT_TRUE(pixels >> x >> y);
    const auto share = [&](const char* axis, double value) {
      return (value - plot[axis]["low"].get<double>()) /
             (plot[axis]["high"].get<double>() - plot[axis]["low"].get<double>());
    };
    EXPECT_NEAR(x, 56 + (440 - 70) * share("x", course["step"][i].get<double>()), 0.06);
    EXPECT_NEAR(y, 270 - 42 - (270 - 72) * share("y", course["value"][i].get<double>()), 0.06);
  }
}

TEST(RunReport, ShowsEveryChartOfARun) {
  const TemporaryFolder folder;
  const std::string html =
      report_of(MadeRun{.ranks = 2, .target = "valid.accuracy >= 0.8"}.write(folder.path()));
  expect_sound_page(html);
  for (const char* id :
       {"run-cost", "run-metric-loss", "run-metric-accuracy", "run-noise", "run-rate", "run-gradient_norm",
        "run-confusion-valid", "run-classes-valid", "run-roc-valid", "run-pr-valid", "run-calibration-valid",
        "run-residual-histogram-test", "run-residual-scatter-test", "run-steps", "run-shares"}) {
    EXPECT_NE(figure_of(html, id).find("<svg"), std::string::npos) << id;
    EXPECT_EQ(figure_of(html, id).find("class=\"none\""), std::string::npos) << id;
  }
  EXPECT_NE(figure_of(html, "run-shares").find("wait for rank 0"), std::string::npos);
  EXPECT_NE(figure_of(html, "run-confusion-valid").find("85 % of 100 rows"), std::string::npos);
  EXPECT_NE(figure_of(html, "run-steps").find("p95 1.5 ms"), std::string::npos);
  EXPECT_LT(html.size(), 400000u);
}

TEST(RunReport, SaysWhatIsMissing) {
  const TemporaryFolder folder;
  MadeRun made{.name = "bare",
               .steps = 1,
               .evaluates = false,
               .measures_noise = false,
               .has_summary = false,
               .has_curves = false};
  const std::string html = report_of(made.write(folder.path()));
  expect_sound_page(html);
  EXPECT_NE(figure_of(html, "run-cost").find("A single step"), std::string::npos);
  for (const char* id : {"run-metrics", "run-noise", "run-quality", "run-steps", "run-shares"})
    EXPECT_NE(figure_of(html, id).find("class=\"none\""), std::string::npos) << id;
  EXPECT_NE(html.find("running or ended early"), std::string::npos);
}

TEST(RunReport, DrawsARunThatDivergedAsSuch) {
  const TemporaryFolder folder;
  const std::string html =
      report_of(MadeRun{.status = "diverged", .not_finite_from = 20}.write(folder.path()));
  expect_sound_page(html);
  EXPECT_NE(html.find("The run diverged after 50 steps"), std::string::npos);
  EXPECT_NE(figure_of(html, "run-cost").find("no longer finite"), std::string::npos);
  const std::string at_once =
      report_of(MadeRun{.name = "at-once", .not_finite_from = 1}.write(folder.path()));
  EXPECT_NE(figure_of(at_once, "run-cost").find("diverged at once"), std::string::npos);
}

TEST(RunReport, OneClassAndOneRowAreNoReasonToFail) {
  const TemporaryFolder folder;
  const fs::path run = MadeRun{.rows = 1, .batch = 1}.write(folder.path());
  write_file_atomically(
      run / "summary.json",
      R"({"ranks":1,"train_s":1,"share.compute":0.9,"valid.confusion":[[7]],"step_ms.p50":1,"step_ms.histogram":[[1,5]],"valid.auc":null})");
  write_file_atomically(
      run / "curves.json",
      R"({"valid":{"per_class":[{"class":"a","rows":7,"precision":1,"recall":1,"f1":1}],"roc":[],"pr":null,"calibration":[["x"]]}})");
  const std::string html = report_of(run);
  expect_sound_page(html);
  EXPECT_NE(figure_of(html, "run-confusion-valid").find("nothing to confuse"), std::string::npos);
  EXPECT_NE(figure_of(html, "run-classes-valid").find("one class"), std::string::npos);
  EXPECT_NE(figure_of(html, "run-shares").find("nobody waits"), std::string::npos);
  EXPECT_TRUE(figure_of(html, "run-roc-valid").empty());
}

TEST(RunReport, NamesAndFilesCannotWriteMarkup) {
  const TemporaryFolder folder;
  const std::string evil = "a<script>alert(1)<script>\"'&";
  const fs::path run = MadeRun{.name = evil}.write(folder.path());
  write_file_atomically(
      run / "config.toml",
      "[run]\nname = \"</title><script>alert(2)</script>\"\n[model]\nname = \"<img src=x>\"\n");
  Json curves = MadeRun::curves();
  curves["</script><script>alert(3)//"] = curves["valid"];
  curves["valid"]["per_class"][0]["class"] = "</script><b>";
  write_file_atomically(run / "curves.json", curves.dump());
  std::string metrics = read_file(run / "metrics.jsonl");
  metrics +=
      R"({"kind":"evaluation","step":51,"epoch":5,"rows":5100,"train_s":1,"best":false,"valid.</script><i>":1,"valid.loss":0.4})" +
      std::string("\n{\"kind\":\"step\",\"st");
  write_file_atomically(run / "metrics.jsonl", metrics);
  const fs::path output = folder.path() / "report.html";
  write_report({run}, output);
  const std::string html = read_file(output);
  EXPECT_TRUE(data_of(html).is_object());
  EXPECT_NE(html.find("1 line of metrics.jsonl could not be read"), std::string::npos);
  std::size_t scripts = 0;
  for (std::size_t at = html.find("<script"); at != std::string::npos; at = html.find("<script", at + 1))
    ++scripts;
  EXPECT_EQ(scripts, 2u);
  for (const char* tag : {"<img", "<b>", "<i>"}) EXPECT_EQ(html.find(tag), std::string::npos) << tag;
  for (const std::string& link : all_between(html, "href=\"", "\""))
    EXPECT_TRUE(link.starts_with("./") || link == "data:,") << link;
}

TEST(RunReport, RefusesWhatIsNoRun) {
  const TemporaryFolder folder;
  const auto code_of = [&](const fs::path& path, const fs::path& output) {
    try {
      write_report({path}, output);
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::kOk;
  };
  EXPECT_EQ(code_of(folder.path() / "nothing", folder.path() / "a.html"), ExitCode::kData);
  EXPECT_EQ(code_of(folder.path(), folder.path() / "a.html"), ExitCode::kData);
  EXPECT_EQ(code_of(MadeRun{}.write(folder.path()), folder.path() / "no" / "such" / "a.html"),
            ExitCode::kOutput);
  folder.write("study.json", "[]");
  EXPECT_EQ(code_of(folder.path(), folder.path() / "a.html"), ExitCode::kData);
  folder.write("study.json",
               R"({"schema":"lockstep.study/1","members":7,"target":{"metric":1,"at_least":"x"}})");
  EXPECT_EQ(code_of(folder.path(), folder.path() / "a.html"), ExitCode::kData);
}

TEST(RunReport, ManyLinesStaySmall) {
  const TemporaryFolder folder;
  const fs::path run = folder.path() / "long";
  fs::create_directories(run);
  std::string text;
  for (int step = 1; step <= 60000; ++step)
    text += R"({"kind":"step","step":)" + std::to_string(step) + R"(,"epoch":0.5,"rows":5,"train_s":)" +
            std::to_string(step * 0.001) + R"(,"train.loss":)" +
            std::to_string(step == 31234 ? 77.5 : 1.0 / step) + R"(,"rate":0.1})" + "\n";
  write_file_atomically(run / "metrics.jsonl", text);
  const std::string html = report_of(run);
  EXPECT_LT(html.size(), 200000u);
  EXPECT_NE(html.find("77.5"), std::string::npos);  // the one peak
}

}  // namespace
}  // namespace lockstep
