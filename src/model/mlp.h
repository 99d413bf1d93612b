// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "core/aligned.h"
#include "core/gemm.h"
#include "lockstep/model/model.h"
#include "model/activation.h"
#include "model/dropout.h"
#include "model/embedded_inputs.h"

namespace lockstep {

/// Layers of x ↦ dropout(f(x·W + b)), the last one x·W + b. Tensors "layer0.weight" (D × width),
/// "layer0.bias" (width), "layer1.weight", …. Where features are codes of categories, the first layer sees
/// their rows of the tensor "embedding" instead (EmbeddedInputs).
class Mlp final : public Model {
 public:
  struct Config {
    std::vector<std::int64_t> hidden = {256, 128};
    Activation activation = Activation::kRelu;
    double dropout = 0.0;
    bool has_bias = true;
    bool is_glorot = false;
    Index embedding = 8;
  };
  Mlp(const Config& config, std::uint64_t seed, const ModelShape& shape);

  static void declare(OptionTable& table);
  static std::unique_ptr<Model> create(const Options& options, std::uint64_t seed, const ModelShape& shape);

  const ParameterLayout& layout() const override { return layout_; }
  /// Uniform within ±√(6 / inputs) (He et al., 2015) or ±√(6 / (inputs + outputs)) (Glorot and Bengio, 2010);
  /// biases 0.
  void initialize(std::uint64_t seed, float* weights) const override;
  bool takes_categories() const override { return true; }
  int feature_tensor() const override { return is_sparse_ ? layers_[0].weight : -1; }
  void forward(const float* weights, const Batch& batch, Pass pass, Matrix scores) override;
  void backward(const float* weights, const Batch& batch, ConstMatrix score_gradient,
                GradientSum& sums) override;

 private:
  struct Layer {
    Index inputs = 0;
    Index outputs = 0;
    int weight = 0;
    int bias = -1;  // none
    Index stride = 0;
    AlignedVector<float> values;       // of a hidden layer, kMaxRows × stride
    AlignedVector<float> derivatives;  // ∂value / ∂(x·W + b), dropout included; of relu the values tell it
    AlignedVector<float> gradient;     // ∂loss / ∂(x·W + b)
  };
  bool is_last(std::size_t number) const { return number + 1 == layers_.size(); }
  /// values = f(in·W + b) of a hidden layer and, in training, their derivatives.
  void forward_hidden(Layer& layer, const Features& in, const float* weights, Pass pass);
  void drop_out(std::size_t number, const Batch& batch);
  /// gradient of `before` = (gradient·Wᵀ) ∘ derivatives.
  void backward_hidden(const Layer& layer, const float* weights, ConstMatrix gradient, Layer& before);
  bool is_relu() const { return config_.activation == Activation::kRelu; }
  const float* bias_of(const Layer& layer, const float* weights) const;
  ConstMatrix weight_of(const Layer& layer, const float* weights) const;

  Config config_;
  Dropout dropout_;
  bool is_sparse_;
  ParameterLayout layout_;
  std::optional<EmbeddedInputs> embedded_;
  Features inputs_;  // of the last forward()
  std::vector<Layer> layers_;
  PackedMatrix packed_;
};

}  // namespace lockstep
