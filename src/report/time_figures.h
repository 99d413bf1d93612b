// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "report/run_figures.h"

namespace lockstep {

/// Times of steps with p50, p95 and p99; what the time of every rank went to, and which rank others wait for.
std::vector<Figure> time_figures(const RunView& view);

}  // namespace lockstep
