// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/plot.h"

namespace lockstep {

struct PageSection {
  std::string title;
  std::string lead = {};  ///< a sentence under it
  std::vector<Figure> figures = {};
};

struct ReportPage {
  std::string title;
  std::string verdict;                                     ///< the result in a sentence or two
  std::vector<std::pair<std::string, std::string>> facts;  ///< name, value
  std::vector<PageSection> sections;
};

/// The whole HTML file: style, charts, tables, data and script, nothing from elsewhere. The numbers of all
/// plots stand once more as JSON in <script id="report-data" type="application/json">:
///
///     courses: {key: {step, epoch, rows, train_s, value}}, figures: {id: [plot]}, plot = {w, h, top, x, y,
///     course, along, series: [{name, mark, colour, dash, shape, key | x, y, low, high}], notes}
///
/// Values of metrics.jsonl have all their digits, places along an axis seven.
std::string page_html(const ReportPage& page);

/// The data behind all plots, as above.
std::string page_data(const ReportPage& page);

/// A <figure>.
std::string figure_html(const Figure& figure);

std::string table_html(const std::vector<std::vector<std::string>>& rows);

}  // namespace lockstep
