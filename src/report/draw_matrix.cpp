// SPDX-License-Identifier: Apache-2.0
#include "report/draw_matrix.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/text.h"

namespace lockstep {

namespace {

std::string begin(double width, double height, const std::string& id, const std::string& title,
                  const std::string& text) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot still\" viewBox=\"0 0 {0} {1}\" role=\"img\" "
      "id=\"{2}\" aria-labelledby=\"{2}-t {2}-d\">"
      "<title id=\"{2}-t\">{3}</title><desc id=\"{2}-d\">{4}</desc>",
      width, height, id, escape_markup(title), escape_markup(text));
}

}  // namespace

std::string draw_matrix(const std::vector<std::vector<double>>& matrix, const std::string& id,
                        const std::string& title, const std::string& text) {
  constexpr double kWidth = 440, kLeft = 56, kTop = 34;
  const auto classes = static_cast<double>(matrix.size());
  const double cell = std::min(34.0, (kWidth - kLeft - 14) / classes);
  std::string svg = begin(kWidth, kTop + classes * cell + 8, id, title, text);
  svg += fmt::format(
      "<text class=\"label\" x=\"4\" y=\"14\">label</text><text class=\"label\" x=\"{}\" y=\"14\">decided "
      "as</text>",
      kLeft);
  const std::size_t stride = cell < 14 ? static_cast<std::size_t>(14 / cell) + 1 : 1;
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    double rows = 0;
    for (const double count : matrix[i]) rows += count;
    const double y = kTop + static_cast<double>(i) * cell;
    if (i % stride == 0)
      svg += fmt::format(
          "<text class=\"end\" x=\"{}\" y=\"{:.1f}\">{}</text><text class=\"mid\" x=\"{:.1f}\" "
          "y=\"{}\">{}</text>",
          kLeft - 7, y + cell / 2 + 4, i, kLeft + (static_cast<double>(i) + 0.5) * cell, kTop - 5, i);
    for (std::size_t j = 0; j < matrix[i].size(); ++j) {
      const double share = rows > 0 ? matrix[i][j] / rows : 0, x = kLeft + static_cast<double>(j) * cell;
      svg += fmt::format(
          "<g class=\"cell {}\"><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
          "style=\"fill:var(--c)\" opacity=\"{:.3f}\"/>",
          i == j ? "c0" : "c1", x, y, cell - 1, cell - 1, 0.05 + 0.55 * share);
      svg += fmt::format("<title>{} of class {} decided as {} ({})</title>", count_text(matrix[i][j], "row"),
                         i, j, share_text(share));
      if (cell >= 26 && matrix[i][j] > 0)
        svg += fmt::format("<text class=\"mid\" x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{}\">{}</text>",
                           x + cell / 2, y + cell / 2 + 4, matrix[i][j] >= 1000 ? 10 : 11,
                           tick_text(matrix[i][j]));
      svg += "</g>";
    }
  }
  return svg + "</svg>";
}

std::string draw_shares(const std::vector<RankSeconds>& ranks, const std::string& id,
                        const std::string& title, const std::string& text) {
  constexpr double kWidth = 440, kLeft = 58, kRight = 10, kTop = 30, kBar = 20;
  constexpr const char* kNames[] = {"data", "compute", "exchange", "wait", "update"};
  constexpr int kColours[] = {4, 0, 1, 3, 2};
  constexpr std::size_t kMost = 32;
  const std::size_t shown = std::min(ranks.size(), kMost);
  std::string svg = begin(kWidth, kTop + static_cast<double>(shown) * kBar + 6, id, title, text);
  double x = 4;
  for (std::size_t k = 0; k < 5; ++k) {
    svg += fmt::format(
        "<g class=\"c{}\"><path class=\"bar\" d=\"M{:.1f} 5h11v11h-11z\"/></g><text x=\"{:.1f}\" "
        "y=\"15\">{}</text>",
        kColours[k], x, x + 16, kNames[k]);
    x += 36 + 7.2 * static_cast<double>(std::string_view(kNames[k]).size());
  }
  double longest = 1e-300;
  for (const RankSeconds& rank : ranks) longest = std::max(longest, rank.total());
  for (std::size_t i = 0; i < shown; ++i) {
    const RankSeconds& rank = ranks[i];
    const double parts[] = {rank.data, rank.compute, rank.exchange, rank.wait, rank.update};
    const double y = kTop + static_cast<double>(i) * kBar;
    svg += fmt::format("<text class=\"end\" x=\"{}\" y=\"{:.1f}\">rank {}</text>", kLeft - 7, y + 12, i);
    x = kLeft;
    for (std::size_t k = 0; k < 5; ++k) {
      const double width = parts[k] / longest * (kWidth - kLeft - kRight),
                   share = parts[k] / std::max(1e-300, rank.total());
      if (width < 0.05) continue;
      svg += fmt::format(
          "<g class=\"c{}\"><path class=\"bar\" d=\"M{:.1f} {:.1f}h{:.1f}v{}h-{:.1f}z\"/><title>rank {}: {} "
          "{}, {}</title></g>",
          kColours[k], x, y, std::max(0.3, width - 1), kBar - 4, std::max(0.3, width - 1), i, kNames[k],
          seconds_text(parts[k]), share_text(share));
      x += width;
    }
  }
  return svg + "</svg>";
}

}  // namespace lockstep
