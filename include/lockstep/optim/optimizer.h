// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/core/options.h"
#include "lockstep/core/view.h"

namespace [[gnu::visibility("default")]] lockstep {

/// What is the same for all parameters of one step.
struct StepSettings {
  Index step = 1;             ///< 1 for the first update; of a resumed run the next one
  double rate = 0;            ///< η, after schedule, warm-up and scaling
  double gradient_scale = 1;  ///< mean = scale · sum: 1 / row weight, times the factor of norm clipping
  double clip_value = 0;      ///< bound on |mean gradient| per element; 0: none
  double l1 = 0, l2 = 0;      ///< of the objective
  double weight_decay = 0;    ///< decoupled: w ← w − η·decay·w
};

/// A run of parameters of one tensor: count floats (a multiple of 16, 64-byte aligned), its optimizer state
/// in as many arrays as state_names() has names.
struct UpdateRange {
  Index count = 0;
  float* weights = nullptr;
  float* gradient = nullptr;  ///< sum over the rows of the batch; may be overwritten
  float* const* state = nullptr;
  bool is_penalized = true;  ///< l1, l2, weight_decay apply
  double trust_ratio = 1;    ///< of its tensor, where the optimizer uses one; tensors without penalty keep 1
};

/// An update rule. It sees slices of the flat vector of parameters, cut anywhere at multiples of 16 floats;
/// the result must not depend on the cuts. Slots behind a tensor's end hold zeros and must stay zero.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Names of the state vectors, as checkpoints store them. Fixed for the life of the object.
  virtual const std::vector<std::string>& state_names() const = 0;
  /// The value state vector `index` starts with.
  virtual float initial_state(int index) const;

  /// Whether updates are scaled per tensor by a ratio of norms (LARS, LAMB). If so, direction() writes the
  /// vector whose norm is compared with that of the weights (`count` floats, 64-byte aligned) for all ranges
  /// before any update(). It changes nothing else: the gradient may not be finite.
  virtual bool uses_trust_ratio() const { return false; }
  virtual void direction(const StepSettings&, const UpdateRange&, float* /*out*/) const {}
  virtual double trust_ratio(const StepSettings&, double weight_norm, double direction_norm) const;

  /// The decoupled weight decay of this optimizer where the user names none.
  virtual double default_weight_decay() const { return 0; }

  /// One step: updates weights and state in one pass over the range.
  virtual void update(const StepSettings&, const UpdateRange&) const = 0;
};

/// One row of src/optim/registry.cpp.
struct OptimizerRow {
  std::string name;
  std::string summary;
  void (*declare)(OptionTable&) = nullptr;
  std::unique_ptr<Optimizer> (*create)(const Options&) = nullptr;
};

}  // namespace lockstep
