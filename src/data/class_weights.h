// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace lockstep {

/// The factor of each class on the weights of its training rows, from data.class_weights: "none" (empty
/// result), "balanced" (total / (K · sum of the class); 1 for a class without weight), or a list
/// "name:1.5,other:2" (1 for classes it does not name). Throws Error(kConfig).
std::vector<float> class_weights(const std::string& setting, const std::vector<std::string>& classes,
                                 const std::vector<double>& class_sums);

}  // namespace lockstep
