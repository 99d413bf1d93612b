// SPDX-License-Identifier: Apache-2.0
#include "optim/lazy_penalty.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "lockstep/core/error.h"
#include "optim/shared_options.h"

namespace lockstep {

namespace {

// Tables of a window stay in the second-level cache; a window of steps made again costs at most what the
// dense run pays.
constexpr int kWindow = 8192;
constexpr int kReplayedWindow = 256;
constexpr double kSmallestProduct = 1e-100;
constexpr Index kLane = 16;

}  // namespace

std::string LazyPenalty::why_not(const Options& options) {
  const std::string& name = options.text("optim.name");
  if (name == "sgd" || name == "adagrad" || name == "ftrl") return "";
  return "optim.name = \"" + name + "\" moves weights without gradient too";
}

LazyPenalty::LazyPenalty(const Options& options, const Optimizer& optimizer, bool is_penalized)
    : optimizer_(optimizer) {
  const std::string& name = options.text("optim.name");
  const Regularization penalties = read_regularization(options, optimizer);
  if (is_penalized) {
    l1_ = penalties.l1;
    l2_ = penalties.l2;
    weight_decay_ = penalties.weight_decay;
  }
  if (name == "ftrl") l1_ = l2_ = 0;
  if (l1_ > 0 || l2_ > 0 || weight_decay_ > 0) kind_ = Kind::kClosedForm;
  if (name == "adagrad" && kind_ == Kind::kClosedForm) {
    epsilon_ = static_cast<float>(epsilon_or(options, 1e-10));
    lr_decay_ = options.real("optim.lr_decay");
    has_metric_ = l1_ > 0;
    if (l2_ > 0) kind_ = Kind::kReplayed;
  }
  most_steps_ = kind_ == Kind::kReplayed ? kReplayedWindow : kWindow;
  const auto places = static_cast<std::size_t>(most_steps_) + 1;
  for (auto* table : {&products_, &inverses_, &sums_, &rates_, &numbers_}) table->reserve(places);
  close();
}

void LazyPenalty::close() {
  products_.assign(1, 1.0);
  inverses_.assign(1, 1.0);
  sums_.assign(1, 0.0);
  rates_.clear();
  numbers_.clear();
}

// In the numbers of UpdateRange's rules, floats where they are floats: their rounding is the same in every
// step and would add up.
LazyPenalty::Single LazyPenalty::single(const StepSettings& step) const {
  const auto keep = static_cast<float>(1 - step.rate * weight_decay_);
  const auto rate = static_cast<float>(step.rate / (1 + static_cast<double>(step.step - 1) * lr_decay_));
  return {static_cast<double>(keep) - static_cast<double>(rate) * static_cast<float>(l2_),
          static_cast<double>(rate) * static_cast<float>(l1_)};
}

bool LazyPenalty::must_close(const StepSettings& next) const {
  if (kind_ == Kind::kNone) return false;
  if (age() == most_steps_) return true;
  return kind_ == Kind::kClosedForm && !(products_.back() * single(next).keep > kSmallestProduct);
}

void LazyPenalty::add(const StepSettings& step) {
  if (kind_ == Kind::kNone) return;
  const Single one = kind_ == Kind::kClosedForm ? single(step) : Single();
  products_.push_back(products_.back() * one.keep);
  inverses_.push_back(1 / products_.back());
  sums_.push_back(sums_.back() + one.threshold / products_.back());
  rates_.push_back(step.rate);
  numbers_.push_back(static_cast<double>(step.step));
}

float LazyPenalty::caught_up(float weight, double metric, std::size_t age) const {
  if (age + 1 == products_.size() || weight == 0) return weight;
  const double product = products_.back();
  const double size = std::abs(static_cast<double>(weight)) * (product * inverses_[age]) -
                      metric * (product * (sums_.back() - sums_[age]));
  return size > 0 ? std::copysign(static_cast<float>(size), weight) : 0.0F;
}

void LazyPenalty::catch_up(Index rows, Index width, const std::uint16_t* ages, float* weights,
                           float* state) const {
  if (kind_ == Kind::kNone) return;
  if (kind_ == Kind::kReplayed) return replay(rows, width, ages, weights, state);
  for (Index row = 0; row < rows; ++row)
    for (Index at = row * width; at < (row + 1) * width; ++at) {
      const double metric = has_metric_ ? 1.0 / (std::sqrt(state[at]) + epsilon_) : 1.0;
      weights[at] = caught_up(weights[at], metric, ages[row]);
    }
}

void LazyPenalty::replay(Index rows, Index width, const std::uint16_t* ages, float* weights,
                         float* state) const {
  alignas(64) std::array<float, kLane> weight, square, gradient{};
  float* const states[] = {square.data()};
  StepSettings step;
  step.l1 = l1_;
  step.l2 = l2_;
  step.weight_decay = weight_decay_;
  const UpdateRange range{kLane, weight.data(), gradient.data(), states};
  for (Index first = 0; first < rows * width; first += kLane) {
    const Index used = std::min(kLane, rows * width - first);
    if (std::all_of(weights + first, weights + first + used, [](float w) { return w == 0; })) continue;
    std::array<int, kLane> from;
    from.fill(age());
    for (Index i = 0; i < used; ++i) from[static_cast<std::size_t>(i)] = ages[(first + i) / width];
    for (int number = *std::min_element(from.begin(), from.end()); number < age(); ++number) {
      step.rate = rates_[static_cast<std::size_t>(number)];
      step.step = static_cast<Index>(numbers_[static_cast<std::size_t>(number)]);
      std::copy_n(weights + first, kLane, weight.data());
      std::copy_n(state + first, kLane, square.data());
      gradient.fill(0);
      optimizer_.update(step, range);
      for (std::size_t i = 0; i < kLane; ++i) {
        if (from[i] > number) continue;
        weights[first + static_cast<Index>(i)] = weight[i];
        state[first + static_cast<Index>(i)] = square[i];
      }
    }
  }
}

std::vector<double> LazyPenalty::window() const {
  std::vector<double> result(products_.begin() + 1, products_.end());
  for (const auto* table : {&sums_, &rates_, &numbers_})
    result.insert(result.end(), table->end() - static_cast<std::ptrdiff_t>(rates_.size()), table->end());
  return result;
}

void LazyPenalty::restore(const std::vector<double>& window) {
  const std::size_t steps = window.size() / 4;
  const bool is_window = window.size() == 4 * steps && steps <= static_cast<std::size_t>(most_steps_) &&
                         std::all_of(window.begin() + static_cast<std::ptrdiff_t>(3 * steps), window.end(),
                                     [](double number) { return number >= 0 && number <= 0x1p53; });
  if (!is_window) throw Error(ExitCode::kData, "the checkpoint's window of lazy updates is malformed");
  close();
  for (std::size_t i = 0; i < steps; ++i) {
    products_.push_back(window[i]);
    inverses_.push_back(1 / window[i]);
    sums_.push_back(window[steps + i]);
    rates_.push_back(window[2 * steps + i]);
    numbers_.push_back(window[3 * steps + i]);
  }
}

}  // namespace lockstep
