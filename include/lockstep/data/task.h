// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace [[gnu::visibility("default")]] lockstep {

/// What the labels of a data set mean.
enum class Task { kRegression, kClassification };

}  // namespace lockstep
