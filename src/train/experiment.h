// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/safetensors.h"
#include "data/load.h"
#include "lockstep/model/loss.h"
#include "lockstep/model/model.h"
#include "lockstep/plugins.h"

namespace lockstep {

/// A model with its loss and weights, and what is needed to use it on other rows.
struct TrainedModel {
  std::unique_ptr<Loss> loss;
  std::unique_ptr<Model> model;
  Index outputs = 1;  ///< K
  TrainedSchema schema;
  AlignedVector<float> weights;  ///< M

  /// The logical tensors in their fixed order, as views into `values` (M floats).
  std::vector<TensorView> tensors(const float* values) const;
  /// XXH3-128 of all weights: of the data section of model.safetensors.
  std::string parameters_hash() const { return hash_of(tensors(weights.data())); }
};

/// The loss that model.name and model.loss choose.
std::unique_ptr<Loss> make_loss(const Options& options, const Plugins& plugins);

/// Builds model, loss and initial weights for data of this schema; model.init (a run or a file) is a warm
/// start. Throws Error(kConfig) for a model of more parameters than `most_parameters`.
TrainedModel make_model(const Options& options, const Plugins& plugins, const TrainedSchema& schema,
                        Index most_parameters = ParameterLayout::kMostFloats);

/// Writes model.safetensors: weights, and as metadata config, classes and preprocessing. Returns the hash.
std::string save_model(const std::filesystem::path& path, const Options& options, const TrainedModel& model);

/// What a model file says besides its weights.
struct ModelFile {
  TensorFile file;
  std::string config;  ///< TOML
  TrainedSchema schema;
};

/// The same with these weights (M) in the place of the model's own.
std::string save_weights(const std::filesystem::path& path, const Options& options, const TrainedModel& model,
                         const float* weights);

/// Reads a model file, or model.safetensors of a run directory. Throws Error(kData) for a file that is not
/// one of ours.
ModelFile read_model_file(const std::filesystem::path& run_or_file);

/// Copies the tensors of `file` (names prefixed by `prefix`) into the flat vector `values`. Throws
/// Error(kData) where one is missing or has another shape.
void copy_tensors(const TensorFile& file, const std::string& prefix, const ParameterLayout& layout,
                  float* values);

}  // namespace lockstep
