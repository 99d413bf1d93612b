// SPDX-License-Identifier: Apache-2.0
#include "model/mlp.h"

#include <algorithm>
#include <cmath>

#include "core/philox.h"
#include "model/products.h"

namespace lockstep {

Mlp::Mlp(const Config& config, std::uint64_t seed, const ModelShape& shape)
    : config_(config),
      dropout_(config.dropout, seed),
      is_sparse_(shape.is_sparse),
      layout_(shape.most_parameters) {
  const auto is_category = [](Index count) { return count > 0; };
  if (std::any_of(shape.categories.begin(), shape.categories.end(), is_category))
    embedded_.emplace(shape, config.embedding, layout_);
  Index inputs = embedded_ ? embedded_->inputs() : shape.features, depth = 0;
  for (std::size_t i = 0; i <= config.hidden.size(); ++i) {
    Layer layer;
    layer.inputs = inputs;
    layer.outputs = i < config.hidden.size() ? config.hidden[i] : shape.outputs;
    const std::string name = "layer" + std::to_string(i);
    layer.weight = layout_.add(name + ".weight", {layer.inputs, layer.outputs}, true);
    if (config.has_bias) layer.bias = layout_.add(name + ".bias", {layer.outputs}, false);
    if (i > 0 || !shape.is_sparse) depth = std::max({depth, layer.inputs, layer.outputs});
    if (i < config.hidden.size()) {
      layer.stride = round_up_16(layer.outputs);
      const auto size = static_cast<std::size_t>(Batch::kMaxRows * layer.stride);
      layer.values.resize(size);
      if (!is_relu()) layer.derivatives.resize(size);
      layer.gradient.resize(size);
    }
    inputs = layer.outputs;
    layers_.push_back(std::move(layer));
  }
  packed_ = PackedMatrix(depth, 1);
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
  table
      .integer("model.embedding", 8,
               "numbers that stand for a category, learnt, where data.categories = \"embed\"")
      .range(1, 4096);
  table.flag("model.bias", true, "whether every output has a constant term");
}

std::unique_ptr<Model> Mlp::create(const Options& options, std::uint64_t seed, const ModelShape& shape) {
  Config config;
  config.hidden = options.integers("model.hidden");
  config.activation = activation_named(options.text("model.activation"));
  config.is_glorot = options.text("model.initialization") == "glorot";
  config.dropout = options.real("model.dropout");
  config.has_bias = options.flag("model.bias");
  config.embedding = options.integer("model.embedding");
  return std::make_unique<Mlp>(config, seed, shape);
}

void Mlp::initialize(std::uint64_t seed, float* weights) const {
  std::fill_n(weights, layout_.size(), 0.0F);
  if (embedded_) embedded_->initialize(seed, weights);
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

const float* Mlp::bias_of(const Layer& layer, const float* weights) const {
  return layer.bias < 0 ? nullptr : weights + layout_[layer.bias].offset;
}

void Mlp::forward(const float* weights, const Batch& batch, Pass pass, Matrix scores) {
  inputs_ = embedded_ ? embedded_->gather(weights, batch.features) : batch.features;
  Features in = inputs_;
  for (std::size_t number = 0; number < layers_.size(); ++number) {
    Layer& layer = layers_[number];
    if (is_last(number))
      return multiply_features(in, weight_of(layer, weights), bias_of(layer, weights), packed_, scores);
    forward_hidden(layer, in, weights, pass);
    if (pass == Pass::kTrain) drop_out(number, batch);
    in = {false, {layer.values.data(), batch.rows(), layer.outputs, layer.stride}, {}};
  }
}

void Mlp::forward_hidden(Layer& layer, const Features& in, const float* weights, Pass pass) {
  const Matrix out{layer.values.data(), in.rows(), layer.outputs, layer.stride};
  if (is_relu() && !in.is_sparse && layer.outputs > 1)
    return multiply({.a = in.dense,
                     .b = weight_of(layer, weights),
                     .c = out,
                     .initial = bias_of(layer, weights),
                     .is_rectified = true},
                    packed_);
  const auto finish = [&](Index row, Index column, const Matrix& tile) {
    const bool has_derivatives = pass == Pass::kTrain && !is_relu();
    activate(config_.activation, tile,
             has_derivatives ? layer.derivatives.data() + row * layer.stride + column : nullptr);
  };
  multiply_features(in, weight_of(layer, weights), bias_of(layer, weights), packed_, out,
                    finish_with(finish));
}

void Mlp::drop_out(std::size_t number, const Batch& batch) {
  Layer& layer = layers_[number];
  const Matrix all{layer.values.data(), batch.rows(), layer.outputs, layer.stride};
  for (const Segment& segment : batch.segments)
    dropout_.apply({batch.epoch, segment.shard, static_cast<int>(number), segment.first_place},
                   {all.row(segment.begin), segment.end - segment.begin, all.cols, all.stride},
                   is_relu() ? nullptr : layer.derivatives.data() + segment.begin * layer.stride);
}

void Mlp::backward(const float* weights, const Batch& batch, ConstMatrix score_gradient, GradientSum& sums) {
  ConstMatrix gradient = score_gradient;
  for (std::size_t number = layers_.size(); number-- > 0;) {
    const Layer& layer = layers_[number];
    if (layer.bias >= 0) sums.add_columns(layer.bias, gradient);
    if (number == 0) break;
    Layer& before = layers_[number - 1];
    sums.add_product(layer.weight,
                     ConstMatrix{before.values.data(), batch.rows(), before.outputs, before.stride},
                     gradient);
    backward_hidden(layer, weights, gradient, before);
    gradient = {before.gradient.data(), batch.rows(), before.outputs, before.stride};
  }
  const Layer& first = layers_.front();
  sums.add_product(first.weight, inputs_, gradient);
  if (embedded_) embedded_->backward(batch.features, weight_of(first, weights), gradient, packed_, sums);
}

void Mlp::backward_hidden(const Layer& layer, const float* weights, ConstMatrix gradient, Layer& before) {
  const auto finish = [&](Index row, Index column, const Matrix& tile) {
    const float* derivatives = before.derivatives.data() + row * before.stride + column;
    for (Index i = 0; i < tile.rows; ++i)
      for (Index j = 0; j < tile.cols; ++j) tile.row(i)[j] *= derivatives[i * before.stride + j];
  };
  Product product{.a = gradient,
                  .b = weight_of(layer, weights),
                  .c = {before.gradient.data(), gradient.rows, before.outputs, before.stride}};
  if (is_relu()) {
    product.gate = {before.values.data(), gradient.rows, before.outputs, before.stride};
    product.gate_scale = dropout_.scale();
  } else {
    product.finish = finish_with(finish);
  }
  multiply_transposed(product, packed_);
}

}  // namespace lockstep
