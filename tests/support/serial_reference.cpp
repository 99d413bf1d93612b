// SPDX-License-Identifier: Apache-2.0
#include "support/serial_reference.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <utility>

namespace lockstep::testing {
namespace {

using Vector = std::vector<double>;
using Layers = std::vector<SerialReference::Layer>;

Layers zeros_like(const Layers& layers) {
  Layers zeros = layers;
  for (auto& layer : zeros) {
    std::fill(layer.weight.begin(), layer.weight.end(), 0.0);
    std::fill(layer.bias.begin(), layer.bias.end(), 0.0);
  }
  return zeros;
}

double activate(const std::string& name, double x) {
  if (name == "relu") return x > 0 ? x : 0;
  if (name == "tanh") return std::tanh(x);
  if (name == "sigmoid") return 1 / (1 + std::exp(-x));
  if (name == "identity") return x;
  throw std::invalid_argument(name);
}

// By the value of the activation.
double slope(const std::string& name, double value) {
  if (name == "relu") return value > 0 ? 1 : 0;
  if (name == "tanh") return 1 - value * value;
  if (name == "sigmoid") return value * (1 - value);
  return 1;
}

Vector apply(const SerialReference::Layer& layer, const Vector& x) {
  Vector out(layer.outputs, 0.0);
  for (std::size_t k = 0; k < layer.outputs; ++k) {
    if (!layer.bias.empty()) out[k] = layer.bias[k];
    for (std::size_t j = 0; j < layer.inputs; ++j) out[k] += x[j] * layer.weight[j * layer.outputs + k];
  }
  return out;
}

// The loss of one score against the sign of its class, or against a value; sets its derivative.
double scalar_loss(const std::string& name, double score, double target, double* derivative) {
  if (name == "squared") {
    *derivative = score - target;
    return (score - target) * (score - target) / 2;
  }
  const double margin = score * target;
  if (name == "logistic") {
    *derivative = -target / (1 + std::exp(margin));
    return std::log1p(std::exp(-margin));
  }
  const double gap = std::max(0.0, 1 - margin);
  if (name == "hinge") {
    *derivative = gap > 0 ? -target : 0;
    return gap;
  }
  if (name != "squared_hinge") throw std::invalid_argument(name);
  *derivative = -2 * target * gap;
  return gap * gap;
}

double cross_entropy(const Vector& scores, std::size_t label, Vector* derivative) {
  double sum = 0;
  for (const double score : scores) sum += std::exp(score);
  for (std::size_t k = 0; k < scores.size(); ++k)
    (*derivative)[k] = std::exp(scores[k]) / sum - (k == label ? 1 : 0);
  return std::log(sum) - scores[label];
}

// One score: class 1 against class 0, or the value itself; several: each class against the rest.
double loss_of(const std::string& name, const Vector& scores, double label, Vector* derivative) {
  derivative->assign(scores.size(), 0.0);
  if (name == "cross_entropy") return cross_entropy(scores, static_cast<std::size_t>(label), derivative);
  double sum = 0;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    const double own = scores.size() == 1 ? 1 : static_cast<double>(k);
    const double target = name == "squared" ? label : (label == own ? 1 : -1);
    sum += scalar_loss(name, scores[k], target, &(*derivative)[k]);
  }
  return sum;
}

}  // namespace

SerialReference::SerialReference(ReferenceSettings settings, std::vector<Layer> layers)
    : settings_(std::move(settings)),
      layers_(std::move(layers)),
      first_(zeros_like(layers_)),
      second_(zeros_like(layers_)) {}

// Adds weight · ∂loss/∂parameters of one row to `gradient`; returns weight · loss.
double SerialReference::add_row(const ReferenceRows& data, std::size_t row,
                                std::vector<Layer>& gradient) const {
  std::vector<Vector> values{data.features[row]};
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    values.push_back(apply(layers_[i], values.back()));
    if (i + 1 < layers_.size())
      for (double& value : values.back()) value = activate(settings_.activation, value);
  }
  Vector derivative;
  const double loss = loss_of(settings_.loss, values.back(), data.labels[row], &derivative);
  const double weight = data.weights[row];
  for (double& value : derivative) value *= weight;
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const Layer& layer = layers_[i];
    Vector before(layer.inputs, 0.0);
    for (std::size_t k = 0; k < layer.outputs; ++k) {
      if (!layer.bias.empty()) gradient[i].bias[k] += derivative[k];
      for (std::size_t j = 0; j < layer.inputs; ++j) {
        gradient[i].weight[j * layer.outputs + k] += values[i][j] * derivative[k];
        before[j] += layer.weight[j * layer.outputs + k] * derivative[k];
      }
    }
    for (std::size_t j = 0; i > 0 && j < layer.inputs; ++j)
      before[j] *= slope(settings_.activation, values[i][j]);
    derivative = before;
  }
  return weight * loss;
}

double SerialReference::loss(const ReferenceRows& data) const {
  std::vector<Layer> unused = zeros_like(layers_);
  double sum = 0, weight = 0;
  for (std::size_t row = 0; row < data.labels.size(); ++row) {
    sum += add_row(data, row, unused);
    weight += data.weights[row];
  }
  return sum / weight;
}

double SerialReference::clip_factor(const std::vector<Layer>& gradient) const {
  double squares = 0;
  for (const Layer& layer : gradient) {
    for (const double g : layer.weight) squares += g * g;
    for (const double g : layer.bias) squares += g * g;
  }
  const double norm = std::sqrt(squares);
  return settings_.clip_norm > 0 && norm > settings_.clip_norm ? settings_.clip_norm / norm : 1;
}

double SerialReference::current_rate() const {
  const ReferenceSettings& s = settings_;
  const double done = steps_;  // steps before this one
  double factor = 1;
  if (s.schedule == "cosine") {
    const double share = done < s.schedule_steps ? done / s.schedule_steps : 1;
    factor = s.end_factor + (1 - s.end_factor) * (1 + std::cos(std::numbers::pi * share)) / 2;
  } else if (s.schedule == "inverse_time") {
    factor = 1 / (1 + s.decay_rate * done / s.schedule_steps);
  }
  if (done < s.warmup_steps) factor *= s.warmup_start + (1 - s.warmup_start) * done / s.warmup_steps;
  return s.rate * factor;
}

// What the rule takes off a weight at rate 1; `metric` is what L1 of weight 1 takes off.
double SerialReference::move(double g, double& first, double& second, double* metric) const {
  const ReferenceSettings& s = settings_;
  *metric = 1;
  if (s.optimizer == "sgd") return g;
  if (s.optimizer == "momentum" || s.optimizer == "nesterov") {
    first = s.momentum * first + g;
    *metric = 1 / (1 - s.momentum);
    return s.optimizer == "momentum" ? first : g + s.momentum * first;
  }
  if (s.optimizer == "adagrad" || s.optimizer == "rmsprop") {
    second = s.optimizer == "adagrad" ? second + g * g : s.alpha * second + (1 - s.alpha) * g * g;
    *metric = 1 / (std::sqrt(second) + s.epsilon);
    return g * *metric;
  }
  if (s.optimizer != "adam" && s.optimizer != "adamw") throw std::invalid_argument(s.optimizer);
  first = s.beta1 * first + (1 - s.beta1) * g;
  second = s.beta2 * second + (1 - s.beta2) * g * g;
  const double corrected = second / (1 - std::pow(s.beta2, steps_ + 1));
  *metric = 1 / (std::sqrt(corrected) + s.epsilon);
  return first / (1 - std::pow(s.beta1, steps_ + 1)) * *metric;
}

void SerialReference::update(Vector& weights, const Vector& gradient, Vector& first, Vector& second,
                             bool is_penalized) const {
  const double rate = current_rate();
  const double l1 = is_penalized ? settings_.l1 : 0, l2 = is_penalized ? settings_.l2 : 0;
  const double decay = is_penalized ? settings_.weight_decay : 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    double metric = 1;
    const double taken = move(gradient[i] + l2 * weights[i], first[i], second[i], &metric);
    const double moved = weights[i] - rate * decay * weights[i] - rate * taken;
    const double left = std::abs(moved) - rate * metric * l1;
    weights[i] = left <= 0 ? 0 : std::copysign(left, moved);
  }
}

double SerialReference::step(const ReferenceRows& data, const std::vector<std::size_t>& rows) {
  std::vector<Layer> gradient = zeros_like(layers_);
  double weight = 0, loss = 0;
  for (const std::size_t row : rows) {
    weight += data.weights[row];
    loss += add_row(data, row, gradient);
  }
  if (weight == 0) return 0;
  for (Layer& layer : gradient) {
    for (double& g : layer.weight) g /= weight;
    for (double& g : layer.bias) g /= weight;
  }
  const double factor = clip_factor(gradient), limit = settings_.clip_value;
  const auto clip = [&](double& g) {
    g *= factor;
    if (limit > 0) g = std::clamp(g, -limit, limit);
  };
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    for (double& g : gradient[i].weight) clip(g);
    for (double& g : gradient[i].bias) clip(g);
    update(layers_[i].weight, gradient[i].weight, first_[i].weight, second_[i].weight, true);
    update(layers_[i].bias, gradient[i].bias, first_[i].bias, second_[i].bias, settings_.penalizes_bias);
  }
  ++steps_;
  return loss / weight;
}

}  // namespace lockstep::testing
