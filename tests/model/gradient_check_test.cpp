// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "model/activation.h"
#include "model/problem.h"
#include "model/reference.h"

namespace lockstep::testing {
namespace {

struct Case {
  std::string model;
  std::string loss;
  Index classes = 0;
  std::string activation = "relu";
  bool has_bias = true;
  double smoothing = 0.0;
  double factor_l2 = 0.0;
};

Options options_of(const Case& test) {
  Options options = model_options();
  options.set("model.hidden", std::vector<std::int64_t>{6, 4}, "test");
  options.set("model.activation", test.activation, "test");
  options.set("model.bias", test.has_bias, "test");
  options.set("model.label_smoothing", test.smoothing, "test");
  options.set("model.huber_delta", 1.5, "test");
  options.set("model.factors", std::int64_t{3}, "test");
  options.set("model.factor_l2", test.factor_l2, "test");
  return options;
}

// ½·factor_l2·‖v‖² of the features a row has.
Real factor_penalty(const Tensor& tensor, const std::vector<Real>& weights, const float* row,
                    std::size_t outputs) {
  const auto width = static_cast<std::size_t>(tensor.shape[1]);
  Real squares = 0;
  for (std::size_t j = 0; j < static_cast<std::size_t>(tensor.shape[0]); ++j)
    for (std::size_t f = outputs; f < width && row[j] != 0; ++f) {
      const Real v = weights[static_cast<std::size_t>(tensor.offset) + j * width + f];
      squares += v * v;
    }
  return squares / 2;
}

Real weighted_loss(const Case& test, const Problem& problem, const ParameterLayout& layout,
                   const std::vector<Real>& weights) {
  Real sum = 0;
  for (Index i = 0; i < problem.rows(); ++i) {
    const auto row = static_cast<std::size_t>(i);
    const float* const features = problem.dense().row(i);
    const Index cols = problem.dense().cols;
    const auto outputs = static_cast<std::size_t>(layout[1 % static_cast<int>(layout.tensors().size())].size);
    const auto scores = test.model == "fm"
                            ? reference_pair_scores(layout, weights, features, cols, outputs)
                            : reference_scores(layout, weights, features, cols, test.activation);
    if (test.factor_l2 > 0)
      sum += problem.weights()[row] * static_cast<Real>(test.factor_l2) *
             factor_penalty(layout[0], weights, features, outputs);
    sum += problem.weights()[row] *
           reference_loss(test.loss, scores, problem.labels()[row], 1.5L, static_cast<Real>(test.smoothing));
  }
  return sum;
}

// The product's gradient in float against central differences of the definition in long double. Differences
// with h = 1e-6 err by 1e-11; so the tolerance is what float sums of 13 rows with terms of size 10 lose.
void check(const Case& test, bool is_sparse) {
  SCOPED_TRACE(test.model + ", " + test.loss + ", " + test.activation + (is_sparse ? ", sparse" : ", dense") +
               ", classes " + std::to_string(test.classes));
  const Options options = options_of(test);
  const Problem problem(13, 5, test.classes, 21);
  const auto loss = make_loss(test.loss, options);
  const Index outputs = loss->outputs(test.classes);
  const auto model = make_model(test.model, {5, outputs, is_sparse}, options);
  const auto weights = random_weights(model->layout(), 5);
  const auto gradient = gradient_of(*model, *loss, weights.data(), problem.batch(is_sparse), outputs);

  std::vector<Real> point(weights.begin(), weights.end());
  constexpr Real kStep = 1e-6L;
  for (const Tensor& tensor : model->layout().tensors())
    for (Index i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
      auto& coordinate = point[static_cast<std::size_t>(i)];
      const Real middle = coordinate;
      coordinate = middle + kStep;
      const Real above = weighted_loss(test, problem, model->layout(), point);
      coordinate = middle - kStep;
      const Real below = weighted_loss(test, problem, model->layout(), point);
      coordinate = middle;
      const auto expected = static_cast<double>((above - below) / (2 * kStep));
      ASSERT_NEAR(gradient[static_cast<std::size_t>(i)], expected, 2e-5 * (1.0 + std::abs(expected)))
          << tensor.name << " element " << i - tensor.offset;
    }
}

TEST(Gradient, EqualsFiniteDifferencesForEveryModelAndLoss) {
  const auto models = model_registry();
  const auto losses = loss_registry();
  for (const ModelRow& model : models.rows()) {
    std::vector<std::string> names = model.losses;
    if (std::find(names.begin(), names.end(), "*") != names.end()) names = losses.names();
    for (const std::string& name : names)
      for (const bool is_sparse : {false, true}) {
        const bool classifies = make_loss(name)->task() == Task::kClassification;
        for (const Index classes : classifies ? std::vector<Index>{2, 4} : std::vector<Index>{0})
          check({model.name, name, classes}, is_sparse);
      }
  }
}

TEST(Gradient, EqualsFiniteDifferencesForEveryActivation) {
  for (const std::string& activation : activation_names())
    for (const bool is_sparse : {false, true}) check({"mlp", "cross_entropy", 3, activation}, is_sparse);
}

TEST(Gradient, EqualsFiniteDifferencesWithoutBiasAndWithSmoothing) {
  check({"mlp", "cross_entropy", 3, "tanh", false, 0.2}, false);
  check({"softmax", "cross_entropy", 20, "relu", false, 0.1}, true);
}

TEST(Gradient, EqualsFiniteDifferencesWithAPenaltyPerOccurrence) {
  for (const bool is_sparse : {false, true}) {
    check({"fm", "logistic", 2, "", true, 0.0, 0.3}, is_sparse);
    check({"fm", "cross_entropy", 3, "", true, 0.0, 0.3}, is_sparse);
  }
}

// With dropout the training pass is still a plain function of the weights. The product's own float losses are
// differenced: scores err by 1e-7, so at h = 1/64 the slope errs by some 1e-5 and by h² times the third
// derivative, both far below a wrong mask's effect.
TEST(Gradient, EqualsFiniteDifferencesUnderDropout) {
  Options options = options_of({"mlp", "squared", 0, "tanh"});
  options.set("model.dropout", 0.4, "test");
  const Problem problem(13, 5, 0, 22);
  const auto loss = make_loss("squared");
  const auto model = make_model("mlp", {5, 1, false}, options);
  auto weights = random_weights(model->layout(), 6);
  const Batch batch = problem.batch(false);
  const auto gradient = gradient_of(*model, *loss, weights.data(), batch, 1);
  const auto value = [&] {
    const auto scores = scores_of(*model, weights.data(), batch, 1, Pass::kTrain);
    std::vector<double> row_loss(13);
    std::vector<float> slopes(13);
    loss->evaluate({scores.data(), 13, 1, 1}, batch.labels, batch.weights, row_loss.data(),
                   {slopes.data(), 13, 1, 1});
    return std::inner_product(row_loss.begin(), row_loss.end(), batch.weights, 0.0);
  };
  for (const Tensor& tensor : model->layout().tensors())
    for (Index i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
      float& coordinate = weights[static_cast<std::size_t>(i)];
      const float middle = coordinate;
      coordinate = middle + 0x1p-6F;
      const double above = value();
      coordinate = middle - 0x1p-6F;
      const double below = value();
      coordinate = middle;
      const double expected = (above - below) * 32.0;
      ASSERT_NEAR(gradient[static_cast<std::size_t>(i)], expected, 5e-3 * (1.0 + std::abs(expected)))
          << tensor.name;
    }
}

}  // namespace
}  // namespace lockstep::testing
