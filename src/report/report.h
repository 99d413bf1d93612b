// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lockstep {

/// Writes one self-contained HTML file about a run, a study, or several runs beside each other. Whatever was
/// not measured is left out or said to be missing. Throws Error(kData) where a path is neither a run nor a
/// study, Error(kOutput) or Error(kIo) where the file cannot be written.
void write_report(const std::vector<std::filesystem::path>& runs_or_study,
                  const std::filesystem::path& output);

/// Writes one chart of that report as an SVG file that stands alone and adapts to light and dark: `chart` is
/// its id on the page, "trade-off" for example. Throws Error(kUsage) with the ids there are for an unknown
/// one, Error(kData) for a chart this report has nothing to draw on.
void write_picture(const std::vector<std::filesystem::path>& runs_or_study, const std::string& chart,
                   const std::filesystem::path& output);

}  // namespace lockstep
