// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "report/plot.h"
#include "report/study_record.h"

namespace lockstep {

/// Charts over the members of a study; `link` leads to the study's data.
struct StudyView {
  const StudyRecord& study;
  std::filesystem::path folder;  ///< of the page
  std::string link;
};

/// Batch size against time ("trade-off"), steps and epochs to the target; the best of rates and the median of
/// seeds at every batch, everything else as dots, and members that did not get there at the upper edge.
std::vector<Figure> target_figures(const StudyView& view);

/// Best metric, spread of the loss over the last epoch, rows per second and share of the limit over batch
/// size.
std::vector<Figure> batch_figures(const StudyView& view);

/// rows/s over ranks against those of the fewest ranks.
Figure scaling_figure(const StudyView& view);

/// Full batch, mini-batch and single rows: side by side over steps, together over epochs and over time.
std::vector<Figure> regime_figures(const StudyView& view);

/// Members that differ in the rate alone, each curve named by the rule of curve_names.h.
Figure rates_figure(const StudyView& view);

/// Paths on the contours of the cost.
Figure landscape_figure(const StudyView& view);

/// All members' training losses over each other; of many the first dozen.
Figure overlay_figure(const StudyView& view);

/// The keys in which the members' configs differ; whether parameters_hash agrees, or from where on not.
Figure difference_figure(const StudyView& view);
/// Every member with its result.
Figure member_figure(const StudyView& view);

/// "full", "mini-batch" or "single rows"; "" where the batch is not known.
std::string regime_of(const MemberRecord& member);

/// "batch 256, rate 0.1, 2 ranks": what tells a member from the others of its study.
std::string label_of(const MemberRecord& member, const StudyRecord& study);

}  // namespace lockstep
