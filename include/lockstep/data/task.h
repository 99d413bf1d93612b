// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lockstep [[gnu::visibility("default")]] {

/// What the labels of a data set mean.
enum class Task { kRegression, kClassification };

}  // namespace gnu::visibility("default")]]
