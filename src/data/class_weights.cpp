// SPDX-License-Identifier: Apache-2.0
#include "data/class_weights.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

#include "data/numbers.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

[[noreturn]] void fail(const std::string& setting, const std::string& what) {
  throw Error(ExitCode::kConfig, "data.class_weights = \"" + setting + "\": " + what);
}

std::vector<float> balanced(const std::vector<double>& sums) {
  const double total = std::accumulate(sums.begin(), sums.end(), 0.0);
  std::vector<float> weights;
  for (const double sum : sums)
    weights.push_back(sum > 0 ? static_cast<float>(total / (static_cast<double>(sums.size()) * sum)) : 1.0F);
  return weights;
}

}  // namespace

std::vector<float> class_weights(const std::string& setting, const std::vector<std::string>& classes,
                                 const std::vector<double>& class_sums) {
  if (setting == "none" || setting.empty()) return {};
  if (classes.empty()) fail(setting, "a regression has no classes");
  if (setting == "balanced") return balanced(class_sums);
  std::vector<float> weights(classes.size(), 1.0F);
  std::string_view rest = setting;
  while (!rest.empty()) {
    const auto end = rest.find(',');
    const std::string_view item = trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const auto colon = item.rfind(':');
    double weight = 0;
    if (colon == std::string_view::npos || !read_whole(item.substr(colon + 1), weight))
      fail(setting, "\"none\", \"balanced\" or a list \"name:1.5,other:2\" was expected");
    if (!(weight >= 0) || !std::isfinite(static_cast<float>(weight)))
      fail(setting, "weights are finite and not negative");
    const auto known = std::find(classes.begin(), classes.end(), item.substr(0, colon));
    if (known == classes.end())
      fail(setting, "there is no class \"" + std::string(item.substr(0, colon)) + "\" in the training data");
    weights[static_cast<std::size_t>(known - classes.begin())] = static_cast<float>(weight);
  }
  return weights;
}

}  // namespace lockstep
