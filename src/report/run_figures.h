// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "report/plot.h"
#include "report/run_record.h"

namespace lockstep {

/// A run on the page: `id` is unique there, `link` leads to its folder ("./members/a/").
struct RunView {
  const RunRecord& run;
  std::string id, link;
};

/// A course of a run as a series; without points where the run has none.
PlotSeries course_series(const RunView& view, const std::string& key, const std::string& name, int colour,
                         int dash = 0);

/// Training loss, and the lowest and highest of single batches where they were recorded.
Figure cost_figure(const RunView& view);
/// One for each metric of the evaluations that is worth a look: losses, what was watched, what was aimed at.
std::vector<Figure> metric_figures(const RunView& view);
/// Noise scale over steps with the batch in use (McCandlish et al., 2018).
Figure noise_figure(const RunView& view);
/// Rate, gradient norm, ‖Δw‖/‖w‖.
std::vector<Figure> step_figures(const RunView& view);

/// "Reached valid.accuracy ≥ 0.9 after 2.7 s …": the result of a run in a sentence or two.
std::string verdict_of(const RunRecord& run);

}  // namespace lockstep
