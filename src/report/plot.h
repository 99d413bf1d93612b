// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "report/course.h"

namespace lockstep {

enum class PlotMark { kLine, kLineDots, kDots, kSteps, kBars };

/// What runs along a plot of courses.
enum class Along { kStep, kEpoch, kRows, kSeconds };
constexpr std::array<const char*, 4> kAlongLabels = {"step", "epoch", "rows seen", "training time (s)"};
double place_of(const CoursePoint& point, Along along);

/// One set of marks under one name. `colour` is a number of the palette, -1 the ink; `dash` and `shape` tell
/// series apart without colour.
struct PlotSeries {
  std::string name;
  PlotMark mark = PlotMark::kLine;
  int colour = 0, dash = 0, shape = 0;
  std::vector<double> x = {}, y = {};
  std::vector<double> low = {}, high = {};  ///< bars: their ends in x; else, where given, a band about y
  std::vector<CoursePoint> points = {};     ///< of a plot along a course, in the place of x and y
  std::string key = {};                     ///< names `points` in the page's data: "run 1/train.loss"
  std::vector<std::string> tips = {};       ///< one a point: what else there is to say of it
  bool marks_end = false;                   ///< a line ends in its shape, so that it is known without colour
};

/// A line across the plot or a marked point, with its label.
struct PlotNote {
  enum class Kind { kVertical, kHorizontal, kPoint };
  Kind kind = Kind::kVertical;
  std::string label;
  double x = 0, y = 0;
  CoursePoint point = {};  ///< vertical, along a course
  int colour = -1;
};

struct PlotAxis {
  std::string label;
  bool is_log = false;
  bool may_switch = false;                         ///< linear or logarithmic, at the reader's choice
  double low = std::nan(""), high = std::nan("");  ///< fixed ends
  double last_tick = 1e300;                        ///< no number stands beyond it
  bool is_whole = false;                           ///< only whole numbers are marked
  std::vector<std::string> names = {};             ///< of 0, 1, 2, …, in the place of numbers
};

/// Equal values on a plane.
struct Contour {
  double level = 0, strength = 1;  ///< strength in (0, 1]: how dark
  std::vector<std::vector<std::array<double, 2>>> lines;
};

/// One chart on two axes.
struct Plot {
  std::string title = {};  ///< of one panel among several
  PlotAxis x, y;
  std::vector<PlotSeries> series = {};
  std::vector<PlotNote> notes = {};
  std::vector<Contour> contours = {};
  bool is_course = false;  ///< series hold `points`, and the reader may choose what they run along
  Along along = Along::kStep;
  double width = 440, height = 270;
};

/// Where the axes begin below the upper edge: labels of vertical notes have a row each above them.
double top_of(const Plot& plot);

/// Charts that say one thing together, with the sentence under them.
struct Figure {
  std::string id, title;
  std::vector<Plot> plots = {};
  std::vector<std::string> drawings = {};  ///< other SVG elements, finished
  std::string sentence = {};               ///< plain text
  std::string empty = {};                  ///< why there is nothing to draw; then nothing else is shown
  std::string source = {};                 ///< relative link to the data
  std::vector<std::vector<std::string>> table = {};  ///< in the place of one made of the plots; head first
  std::string rule = {};                             ///< how names in it were given
  bool is_wide = false;
};

}  // namespace lockstep
