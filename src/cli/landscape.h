// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "lockstep/core/options.h"
#include "lockstep/plugins.h"

namespace lockstep {

/// A run whose weights were kept along its way (path.safetensors).
struct LandscapePath {
  std::string member, regime;  ///< "full", "mini-batch" or "single rows"
  std::filesystem::path run;
};

/// The loss around the ways of a few runs, as landscape.json tells it: {exact, explained, x, y, loss, axes,
/// paths:
/// [{member, regime, points: [[x, y, step], …]}]}. With two parameters the axes are these; else the two main
/// directions of all snapshots together, with the share of their variance that these hold. `loss` is the mean
/// over a fixed sample of the training rows (all of up to 20,000, fewer of a large model) at 25 × 25 points,
/// rows by y. `rows`: the training data, all of it.
std::string landscape_json(const Options& options, const Plugins& plugins, const Dataset& rows,
                           const std::vector<LandscapePath>& paths);

}  // namespace lockstep
