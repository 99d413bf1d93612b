// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "report/draw_plot.h"
#include "report/page.h"
#include "report/plot_legend.h"
#include "report/text.h"

namespace lockstep {

namespace {

constexpr std::size_t kTableRows = 24;

std::string swatch(const PlotSeries& series) {
  return "<svg class=\"plot\" viewBox=\"0 0 24 12\" aria-hidden=\"true\">" + swatch_marks(series) + "</svg>";
}

std::string legend_html(const Figure& figure) {
  const auto entries = legend_entries(figure.plots);
  // Panels with one series each carry their name as a title.
  const bool is_told = std::all_of(figure.plots.begin(), figure.plots.end(), [](const Plot& plot) {
    return plot.series.size() <= 1 && !plot.title.empty();
  });
  if (entries.size() < 2 || (is_told && figure.plots.size() > 1)) return "";
  std::string html = "<ul class=\"legend\" aria-label=\"Series\">";
  for (const PlotSeries* series : entries)
    html += fmt::format(
        "<li><button type=\"button\" data-toggle=\"{0}\" aria-pressed=\"true\">{1}{0}</button></li>",
        escape_markup(series->name), swatch(*series));
  return html + "</ul>\n";
}

std::string choice(const char* group, const char* value, const char* text, bool is_chosen) {
  return fmt::format("<button type=\"button\" data-{}=\"{}\" aria-pressed=\"{}\">{}</button>", group, value,
                     is_chosen ? "true" : "false", text);
}

// Hidden until the script, which alone can act on them, shows them.
std::string choices_html(const Figure& figure) {
  if (figure.plots.empty()) return "";
  const Plot& plot = figure.plots.front();
  std::string html;
  if (plot.is_course) {
    html += "<span role=\"group\" aria-label=\"Along\">";
    constexpr const char* kTexts[] = {"step", "epoch", "rows", "time"};
    for (std::size_t i = 0; i < 4; ++i)
      html +=
          choice("along", std::to_string(i).c_str(), kTexts[i], static_cast<std::size_t>(plot.along) == i);
    html += "</span>";
  }
  if (plot.y.may_switch)
    html += "<span role=\"group\" aria-label=\"Scale\">" +
            choice("scale", "linear", "linear", !plot.y.is_log) +
            choice("scale", "log", "log", plot.y.is_log) + "</span>";
  if (plot.is_course) html += "<span>" + choice("smooth", "1", "smooth", false) + "</span>";
  return html.empty() ? html : "<div class=\"choices\" hidden>" + html + "</div>\n";
}

std::vector<std::vector<std::string>> table_of(const Figure& figure) {
  std::vector<std::vector<std::string>> rows;
  for (const Plot& plot : figure.plots) {
    const std::string across =
        plot.is_course ? kAlongLabels[static_cast<std::size_t>(plot.along)] : plot.x.label;
    if (rows.empty()) rows.push_back({"series", across, plot.y.label});
    for (const PlotSeries& series : plot.series) {
      const auto [xs, ys] = drawn_numbers(plot, series);
      const std::size_t stride = std::max<std::size_t>(1, (xs.size() + kTableRows - 1) / kTableRows);
      for (std::size_t i = 0; i < xs.size(); i += stride) {
        const auto index = static_cast<std::size_t>(std::max(0.0, xs[i]));
        const bool is_named = index < plot.x.names.size();
        rows.push_back({(plot.title.empty() ? "" : plot.title + ": ") + series.name,
                        is_named ? plot.x.names[index] : place_number(xs[i]), fmt::format("{:.6g}", ys[i])});
      }
    }
  }
  return rows;
}

}  // namespace

std::string figure_html(const Figure& figure) {
  std::string html = fmt::format("<figure id=\"{}\"{}>\n<h3>{}</h3>\n", escape_markup(figure.id),
                                 figure.is_wide ? " class=\"wide\"" : "", escape_markup(figure.title));
  if (!figure.empty.empty())
    return html + "<p class=\"none\">" + escape_markup(figure.empty) + "</p>\n</figure>\n";
  html += choices_html(figure) + legend_html(figure) + "<div class=\"plots\">\n";
  for (std::size_t i = 0; i < figure.plots.size(); ++i) {
    const Plot& plot = figure.plots[i];
    html +=
        draw_plot(plot, {fmt::format("{}-{}", figure.id, i),
                         figure.title + (plot.title.empty() ? "" : ": " + plot.title), figure.sentence, ""}) +
        "\n";
  }
  for (const std::string& drawing : figure.drawings) html += drawing + "\n";
  html += "</div>\n<figcaption>" + escape_markup(figure.sentence) + "</figcaption>\n";
  if (!figure.rule.empty()) html += "<p class=\"rule\">" + escape_markup(figure.rule) + "</p>\n";
  const auto rows = figure.table.empty() ? table_of(figure) : figure.table;
  html += "<details><summary>Numbers</summary>" + table_html(rows);
  if (!figure.source.empty())
    html += fmt::format("<p class=\"data\">All of them: <a href=\"{0}\">{0}</a></p>",
                        escape_markup(figure.source));
  return html + "</details>\n</figure>\n";
}

}  // namespace lockstep
