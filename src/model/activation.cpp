// SPDX-License-Identifier: Apache-2.0
#include "model/activation.h"

#include <array>

#include "lockstep/core/error.h"
#include "model/lanes.h"

namespace lockstep {

namespace {

// Each sets `value` to the activation and `slope` to its derivative. `z - z` keeps NaN and infinity alive in
// functions whose SIMD form clamps its argument.
struct Tanh {
  static void apply(Lanes& value, Lanes& slope) {
    value = value.tanh() + (value - value);
    slope = 1.0F - value * value;
  }
};

struct Sigmoid {
  static void apply(Lanes& value, Lanes& slope) {
    const Lanes e = (-value.abs()).exp() + (value - value);
    const Lanes below = e / (1.0F + e);
    for (int i = 0; i < kLanes; ++i) value[i] = value[i] < 0.0F ? below[i] : 1.0F / (1.0F + e[i]);
    slope = below / (1.0F + e);
  }
};

struct Gelu {
  static void apply(Lanes& value, Lanes& slope) {
    constexpr float kScale = 0.7978845608F;  // √(2/π)
    constexpr float kCubic = 0.044715F;
    // tanh is ±1 from far below 10 on; larger cubes would overflow.
    const Lanes z = value.min(10.0F).max(-10.0F);
    const Lanes square = z * z;
    const Lanes t = (kScale * z * (1.0F + kCubic * square)).tanh();
    slope = 0.5F * (1.0F + t) + 0.5F * z * (1.0F - t * t) * kScale * (1.0F + 3.0F * kCubic * square);
    value = 0.5F * value * (1.0F + t) + (value - value);
  }
};

struct Identity {
  static void apply(Lanes&, Lanes& slope) { slope.setOnes(); }
};

template <class Function>
void activate_all(const Matrix& values, float* derivatives) {
  for (Index row = 0; row < values.rows; ++row)
    for (Index column = 0; column < values.cols; column += kLanes) {
      Eigen::Map<Lanes, Eigen::Aligned64> out(values.row(row) + column);
      Lanes value = out, slope;
      Function::apply(value, slope);
      out = value;
      if (derivatives != nullptr)
        Eigen::Map<Lanes, Eigen::Aligned64>(derivatives + row * values.stride + column) = slope;
    }
}

// Not by lanes: Eigen 3.4 chooses between numbers one at a time, which takes ten times as long. Here every
// way to compute gives the same bits.
void rectify(const Matrix& values, float* derivatives) {
  for (Index row = 0; row < values.rows; ++row) {
    float* __restrict out = values.row(row);
    float* __restrict slope = derivatives == nullptr ? nullptr : derivatives + row * values.stride;
    if (slope != nullptr)
      for (Index j = 0; j < values.cols; ++j) slope[j] = out[j] > 0.0F ? 1.0F : 0.0F;
    for (Index j = 0; j < values.cols; ++j) out[j] = out[j] < 0.0F ? 0.0F : out[j];
  }
}

}  // namespace

std::vector<std::string> activation_names() {
  return {"relu", "tanh", "sigmoid", "gelu", "identity"};
}

Activation activation_named(const std::string& name) {
  const auto names = activation_names();
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<Activation>(i);
  throw Error(ExitCode::kConfig, "model.activation = \"" + name + "\" is not known");
}

void activate(Activation activation, const Matrix& values, float* derivatives) {
  static constexpr std::array kFunctions = {rectify, activate_all<Tanh>, activate_all<Sigmoid>,
                                            activate_all<Gelu>, activate_all<Identity>};
  kFunctions[static_cast<std::size_t>(activation)](values, derivatives);
}

}  // namespace lockstep
