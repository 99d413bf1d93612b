// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lockstep {

/// CSS of axes and marks, also inside pictures that stand alone. Colours after Okabe and Ito (2008), which
/// people with colour vision deficiencies can tell apart; dashes and shapes tell them apart without colour.
extern const char* const kPlotStyle;
/// CSS of the page: light, dark, narrow and printed.
extern const char* const kPageStyle;
/// What makes the page answer: values under the pointer and the arrow keys, choices of axes, smoothing,
/// series switched off. Without it everything is still there.
extern const char* const kPageScript;

}  // namespace lockstep
