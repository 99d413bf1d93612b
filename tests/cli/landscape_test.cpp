// SPDX-License-Identifier: Apache-2.0
// The loss around the ways of runs: exact for two parameters, in the main plane for more.
#include "cli/landscape.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/option_table.h"
#include "core/config.h"
#include "core/safetensors.h"
#include "lockstep/comm/communicator.h"
#include "lockstep/core/error.h"
#include "lockstep/run.h"
#include "support/temporary_folder.h"
#include "train/experiment.h"
#include "train/training_run.h"

namespace lockstep {
namespace {

using Json = nlohmann::json;
using testing::TemporaryFolder;

class LandscapeTest : public ::testing::Test {
 protected:
  /// y = 2x − 1 exactly, at x = −1 … 1.
  Json landscape(const std::string& model, const std::vector<std::vector<float>>& snapshots) {
    std::string csv;
    for (int i = -10; i <= 10; ++i)
      csv += std::to_string(i / 10.0) + "," + std::to_string(2 * i / 10.0 - 1) + "\n";
    const Options options = resolve_config(
        all_options(plugins_),
        {{folder_.write("a.toml", model + "\n[data]\ntrain = \"" + folder_.write("a.csv", csv) + "\"\n")},
         false,
         {}});
    const auto alone = make_single_communicator();
    const DataSets data = load_all(options, plugins_, *alone, *make_loss(options, plugins_));
    std::vector<float> values, steps;
    for (const auto& one : snapshots) {
      values.insert(values.end(), one.begin(), one.end());
      steps.push_back(static_cast<float>(steps.size()));
    }
    const auto count = static_cast<Index>(snapshots.size()), size = static_cast<Index>(snapshots[0].size());
    write_safetensors(
        folder_.path() / "path.safetensors", {},
        {{"steps", {count}, steps.data(), count}, {"weights", {count, size}, values.data(), count * size}});
    return Json::parse(landscape_json(options, plugins_, data.train, {{"one", "full", folder_.path()}}));
  }

  Plugins plugins_ = builtin_plugins();
  TemporaryFolder folder_;
};

TEST_F(LandscapeTest, TwoParametersAreTheAxes) {
  const Json json = landscape("model.name = \"linear\"", {{0, 0}, {3, -2}, {2, -1}});
  EXPECT_TRUE(json["exact"].get<bool>());
  EXPECT_EQ(json["explained"], 1.0);
  ASSERT_EQ(json["x"].size(), 25U);
  ASSERT_EQ(json["loss"].size(), 25U);
  EXPECT_EQ(json["paths"][0]["points"][2], Json({2.0, -1.0, 2.0}));
  double least = HUGE_VAL, x = 0, y = 0;
  for (std::size_t i = 0; i < 25; ++i)
    for (std::size_t j = 0; j < 25; ++j) {
      const double right = json["x"][j], up = json["y"][i], loss = json["loss"][i][j];
      // Mean of ½(ax + b)² with a = w − 2 and b = bias + 1, where x² has the mean 0.3667.
      const double exact = 0.5 * ((right - 2) * (right - 2) * 0.77 / 2.1 + (up + 1) * (up + 1));
      EXPECT_NEAR(loss, exact, 1e-4 * (1 + exact));
      if (loss >= least) continue;
      least = loss;
      x = right;
      y = up;
    }
  EXPECT_NEAR(x, 2, 0.2);
  EXPECT_NEAR(y, -1, 0.2);
}

TEST_F(LandscapeTest, PathsInAPlaneAreExplainedWhole) {
  // 1·2 + 2 + 2·1 + 1 = 7 parameters.
  std::vector<std::vector<float>> snapshots;
  for (int i = 0; i < 8; ++i) {
    const float s = std::sin(static_cast<float>(i)), c = std::cos(static_cast<float>(i));
    snapshots.push_back({s, 2 * s, c, c, 1, s + c, 0.5F});
  }
  const Json json =
      landscape("model.name = \"mlp\"\nmodel.hidden = [2]\nmodel.loss = \"squared\"", snapshots);
  EXPECT_FALSE(json["exact"].get<bool>());
  EXPECT_NEAR(json["explained"].get<double>(), 1, 1e-6);
  EXPECT_EQ(json["paths"][0]["points"].size(), 8U);
  for (const Json& row : json["loss"])
    for (const Json& loss : row) EXPECT_TRUE(loss.is_number());
}

TEST_F(LandscapeTest, OnePointIsHonest) {
  const Json json = landscape("model.name = \"mlp\"\nmodel.hidden = [2]\nmodel.loss = \"squared\"",
                              {{1, 2, 3, 4, 5, 6, 7}});
  EXPECT_EQ(json["explained"], 0.0);
  EXPECT_EQ(json["paths"][0]["points"][0], Json({0.0, 0.0, 0.0}));
}

TEST_F(LandscapeTest, RefusesThePathOfAnotherModel) {
  EXPECT_THROW(landscape("model.name = \"linear\"", {{1, 2, 3}}), Error);
}

}  // namespace
}  // namespace lockstep
