// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lockstep/core/view.h"

namespace lockstep {

/// What a hidden unit makes of its input z: relu max(z, 0) · tanh · sigmoid 1 / (1 + e^−z) · gelu
/// ½z(1 + tanh(√(2/π)(z + 0.044715z³))), the tanh form of (Hendrycks and Gimpel, 2016) · identity.
enum class Activation { kRelu, kTanh, kSigmoid, kGelu, kIdentity };

std::vector<std::string> activation_names();
Activation activation_named(const std::string& name);

/// Turns inputs into outputs in place; where `derivatives` is given writes ∂output/∂input there. Both lie in
/// 64-byte aligned rows whose stride is a multiple of 16; the floats behind the last column are overwritten.
/// An input that is not finite gives NaN or infinity.
void activate(Activation activation, const Matrix& values, float* derivatives);

}  // namespace lockstep
