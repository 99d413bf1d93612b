// SPDX-License-Identifier: Apache-2.0
#include "model/mlp.h"

#include <algorithm>
#include <cmath>

#include "core/philox.h"
#include "model/products.h"

namespace lockstep {

Mlp::Mlp(const Config& config, std::uint64_t seed, const ModelShape& shape)
    : config_(config), dropout_(config.dropout, seed), is_sparse_(shape.is_sparse) {
  Index inputs = shape.features;
  for (std::size_t i = 0; i <= config.hidden.size(); ++i) {
    Layer layer;
    layer.inputs = inputs;
    layer.outputs = i < config.hidden.size() ? config.hidden[i] : shape.outputs;
    const std::string name = "layer" + std::to_string(i);
    layer.weight = layout_.add(name + ".weight", {layer.inputs, layer.outputs}, true);
    if (config.has_bias) layer.bias = layout_.add(name + ".bias", {layer.outputs}, false);
    if (i > 0 || !shape.is_sparse) layer.packed = PackedMatrix(layer.inputs, layer.outputs);
    if (i > 0) layer.packed_transposed = PackedMatrix(layer.outputs, layer.inputs);
    if (i < config.hidden.size()) {
      layer.stride = round_up_16(layer.outputs);
      const auto size = static_cast<std::size_t>(Batch::kMaxRows * layer.stride);
      layer.values.resize(size);
      layer.derivatives.resize(size);
      layer.gradient.resize(size);
    }
    inputs = layer.outputs;
    layers_.push_back(std::move(layer));
  }
}

void Mlp::declare(OptionTable& table) {
  table.integers("model.hidden", {256, 128}, "widths of the hidden layers, from the features on").range(1);
  table.text("model.activation", "relu", "what a hidden unit makes of its input").one_of(activation_names());
  table
      .text("model.initialization", "he",
            "range of the initial weights: ±√(6/inputs), ±√(6/(inputs+outputs))")
      .one_of({"he", "glorot"});
  table.real("model.dropout", 0.0, "share of hidden values set to zero in training, in steps of 1/65536")
      .range(0.0, 0.99);
  table.flag("model.bias", true, "whether every output has a constant term");
}

std::unique_ptr<Model> Mlp::create(const Options& options, std::uint64_t seed, const ModelShape& shape) {
  Config config;
  config.hidden = options.integers("model.hidden");
  config.activation = activation_named(options.text("model.activation"));
  config.is_glorot = options.text("model.initialization") == "glorot";
  config.dropout = options.real("model.dropout");
  config.has_bias = options.flag("model.bias");
  return std::make_unique<Mlp>(config, seed, shape);
}

void Mlp::initialize(std::uint64_t seed, float* weights) const {
  std::fill_n(weights, layout_.size(), 0.0F);
  for (std::size_t number = 0; number < layers_.size(); ++number) {
    const Layer& layer = layers_[number];
    const Philox random(seed, Purpose::kInitialize, static_cast<std::uint32_t>(number));
    const auto fan = static_cast<float>(layer.inputs + (config_.is_glorot ? layer.outputs : 0));
    const float limit = std::sqrt(6.0F / fan);
    float* out = weights + layout_[layer.weight].offset;
    for (Index i = 0; i < layer.inputs * layer.outputs; ++i)
      out[i] = limit * (2.0F * random.uniform(static_cast<std::uint64_t>(i)) - 1.0F);
  }
}

ConstMatrix Mlp::weight_of(const Layer& layer, const float* weights) const {
  return {weights + layout_[layer.weight].offset, layer.inputs, layer.outputs, layer.outputs};
}

void Mlp::forward(const float* weights, const Batch& batch, Pass pass, Matrix scores) {
  const Index rows = batch.rows();
  for (std::size_t number = 0; number < layers_.size(); ++number) {
    Layer& layer = layers_[number];
    const float* bias = layer.bias < 0 ? nullptr : weights + layout_[layer.bias].offset;
    const Matrix out =
        is_last(number) ? scores : Matrix{layer.values.data(), rows, layer.outputs, layer.stride};
    Features in = batch.features;
    if (number > 0) {
      Layer& before = layers_[number - 1];
      in = {false, {before.values.data(), rows, before.outputs, before.stride}, {}};
    }
    multiply_features(in, weight_of(layer, weights), bias, layer.packed, out);
    if (is_last(number)) break;
    finish_layer(number, batch, pass);
  }
}

void Mlp::finish_layer(std::size_t number, const Batch& batch, Pass pass) {
  Layer& layer = layers_[number];
  const Matrix all{layer.values.data(), batch.rows(), layer.outputs, layer.stride};
  if (pass == Pass::kEvaluate) return activate(config_.activation, all, nullptr);
  activate(config_.activation, all, layer.derivatives.data());
  for (const Segment& segment : batch.segments)
    dropout_.apply({batch.epoch, segment.shard, static_cast<int>(number), segment.first_place},
                   {all.row(segment.begin), segment.end - segment.begin, all.cols, all.stride},
                   layer.derivatives.data() + segment.begin * layer.stride);
}

void Mlp::backward(const float* weights, const Batch& batch, ConstMatrix score_gradient, GradientSum& sums) {
  const Index rows = batch.rows();
  ConstMatrix gradient = score_gradient;
  for (std::size_t number = layers_.size(); number-- > 0;) {
    Layer& layer = layers_[number];
    if (layer.bias >= 0) sums.add_columns(layer.bias, gradient);
    if (number == 0) {
      sums.add_product(layer.weight, batch.features, gradient);
      break;
    }
    Layer& before = layers_[number - 1];
    sums.add_product(layer.weight, ConstMatrix{before.values.data(), rows, before.outputs, before.stride},
                     gradient);
    layer.packed_transposed.pack_transposed(weight_of(layer, weights));
    const Matrix out{before.gradient.data(), rows, before.outputs, before.stride};
    multiply(gradient, layer.packed_transposed, nullptr, out);
    for (Index i = 0; i < rows * before.stride; ++i)
      before.gradient[static_cast<std::size_t>(i)] *= before.derivatives[static_cast<std::size_t>(i)];
    gradient = out;
  }
}

}  // namespace lockstep
