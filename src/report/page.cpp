// SPDX-License-Identifier: Apache-2.0
#include "report/page.h"

#include <fmt/format.h>

#include "report/page_parts.h"
#include "report/text.h"

namespace lockstep {

namespace {

// Nothing is fetched, whatever a file may have smuggled in.
constexpr const char* kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'";

std::string head(const ReportPage& page) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<link rel=\"icon\" "
      "href=\"data:,\">\n"
      "<style>{}{}</style>\n</head>\n",
      kPolicy, escape_markup(page.title), kPlotStyle, kPageStyle);
}

std::string header(const ReportPage& page) {
  std::string html = fmt::format("<header>\n<h1>{}</h1>\n<p class=\"verdict\">{}</p>\n<dl class=\"facts\">\n",
                                 escape_markup(page.title), escape_markup(page.verdict));
  for (const auto& [name, value] : page.facts)
    html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escape_markup(name), escape_markup(value));
  return html + "</dl>\n</header>\n";
}

}  // namespace

std::string page_html(const ReportPage& page) {
  std::string html = head(page) + "<body>\n" + header(page);
  html += "<main>\n";
  for (std::size_t i = 0; i < page.sections.size(); ++i) {
    const PageSection& section = page.sections[i];
    html += fmt::format("<section aria-labelledby=\"h{}\">\n<h2 id=\"h{}\">{}</h2>\n", i, i,
                        escape_markup(section.title));
    if (!section.lead.empty()) html += "<p class=\"lead\">" + escape_markup(section.lead) + "</p>\n";
    html += "<div class=\"grid\">\n";
    for (const Figure& figure : section.figures) html += figure_html(figure);
    html += "</div>\n</section>\n";
  }
  html += "</main>\n<footer><p>Made by lockstep report. Everything is in this file.</p></footer>\n";
  html += "<div id=\"tip\" hidden></div><p id=\"said\" class=\"unseen\" aria-live=\"polite\"></p>\n";
  html += "<script id=\"report-data\" type=\"application/json\">" + page_data(page) + "</script>\n";
  html += std::string("<script>") + kPageScript + "</script>\n</body>\n</html>\n";
  return html;
}

std::string table_html(const std::vector<std::vector<std::string>>& rows) {
  std::string html = "<div class=\"scroll\" tabindex=\"0\"><table>\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    html += i == 0 ? "<thead><tr>" : "<tr>";
    for (const std::string& cell : rows[i])
      html += (i == 0 ? "<th scope=\"col\">" : "<td>") + escape_markup(cell) + (i == 0 ? "</th>" : "</td>");
    html += i == 0 ? "</tr></thead><tbody>\n" : "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace lockstep
