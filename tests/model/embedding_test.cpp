// SPDX-License-Identifier: Apache-2.0
// Networks on codes of categories: as if the codes had been replaced by rows of the tensor "embedding".
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "lockstep/core/error.h"
#include "model/problem.h"
#include "model/reference.h"

namespace lockstep::testing {
namespace {

constexpr Index kWidth = 3, kFeatures = 4, kRows = 23;
const std::vector<Index> kCategories = {0, 3, 0, 5};  // number, code, number, code
const ModelShape kShape = {.features = kFeatures, .outputs = 2, .categories = kCategories};

Options options_of(const std::string& activation) {
  Options options = model_options();
  options.set("model.hidden", std::vector<std::int64_t>{6}, "test");
  options.set("model.embedding", std::int64_t{kWidth}, "test");
  options.set("model.activation", activation, "test");
  return options;
}

/// Rows of which some hold codes that training did not know: K, −1 and NaN.
struct Rows {
  Rows() {
    std::mt19937 random(4);
    std::normal_distribution<float> normal;
    for (Index i = 0; i < kRows; ++i) {
      for (Index j = 0; j < kFeatures; ++j) {
        const auto count = static_cast<unsigned>(kCategories[static_cast<std::size_t>(j)]);
        x.push_back(count == 0 ? normal(random) : static_cast<float>(random() % (count + 1)));
      }
      labels.push_back(static_cast<float>(random() % 2));
      weights.push_back(1.0F + static_cast<float>(random() % 3));
    }
    x[1] = -1;
    x[kFeatures + 3] = std::numeric_limits<float>::quiet_NaN();
    batch.features = {false, {x.data(), kRows, kFeatures, kFeatures}, {}};
    batch.labels = labels.data();
    batch.weights = weights.data();
    batch.segments = segments;
  }

  std::vector<float> x, labels, weights;
  std::vector<Segment> segments = {{0, 0, 9, 0, true}, {2, 9, 15, 0, true}, {3, 15, kRows, 0, true}};
  Batch batch;
};

/// What the first layer sees of row i, by the definition.
template <class Number>
std::vector<Number> inputs_of(const Rows& rows, Index i, const Number* embedding) {
  const float* const row = rows.x.data() + i * kFeatures;
  std::vector<Number> inputs = {row[0], row[2]};
  Index first = 0;
  for (const Index j : {1, 3}) {
    const Index count = kCategories[static_cast<std::size_t>(j)];
    const bool is_known = row[j] >= 0 && row[j] < static_cast<float>(count);
    for (Index f = 0; f < kWidth; ++f)
      inputs.push_back(is_known ? embedding[(first + static_cast<Index>(row[j])) * kWidth + f] : Number{0});
    first += count;
  }
  return inputs;
}

TEST(Embedding, IsThePlainNetworkOnRowsWhereCodesWereReplaced) {
  const Rows rows;
  const auto model = make_model("mlp", kShape, options_of("gelu"));
  const auto weights = random_weights(model->layout(), 3);
  const auto plain = make_model("mlp", {.features = 2 + 2 * kWidth, .outputs = 2}, options_of("gelu"));
  const Tensor& embedding = model->layout().tensors()[0];
  ASSERT_EQ(embedding.name, "embedding");
  ASSERT_EQ(embedding.shape, (std::vector<Index>{8, kWidth}));
  AlignedVector<float> same(static_cast<std::size_t>(plain->layout().size()), 0.0F);
  for (std::size_t t = 0; t < plain->layout().tensors().size(); ++t) {
    const Tensor &from = model->layout().tensors()[t + 1], &to = plain->layout().tensors()[t];
    std::copy_n(weights.data() + from.offset, from.size, same.data() + to.offset);
  }
  std::vector<float> replaced;
  for (Index i = 0; i < kRows; ++i)
    for (const float value : inputs_of(rows, i, weights.data() + embedding.offset)) replaced.push_back(value);
  Batch batch = rows.batch;
  batch.features.dense = {replaced.data(), kRows, 2 + 2 * kWidth, 2 + 2 * kWidth};
  EXPECT_EQ(scores_of(*model, weights.data(), rows.batch, 2, Pass::kTrain),
            scores_of(*plain, same.data(), batch, 2, Pass::kTrain));
}

// Against central differences in long double, as in gradient_check_test.cpp, whose tolerance this is.
TEST(Embedding, GradientEqualsFiniteDifferences) {
  const Rows rows;
  const auto loss = make_loss("cross_entropy");
  for (const std::string activation : {"relu", "tanh"}) {
    const auto model = make_model("mlp", kShape, options_of(activation));
    const auto weights = random_weights(model->layout(), 5);
    const auto gradient = gradient_of(*model, *loss, weights.data(), rows.batch, 2);
    std::vector<Real> point(weights.begin(), weights.end());
    const auto cost = [&] {
      Real sum = 0;
      for (Index i = 0; i < kRows; ++i) {
        const auto row = static_cast<std::size_t>(i);
        const auto inputs = inputs_of(rows, i, point.data() + model->layout().tensors()[0].offset);
        const auto scores = reference_scores(model->layout(), point, inputs.data(),
                                             static_cast<Index>(inputs.size()), activation);
        sum += rows.weights[row] * reference_loss("cross_entropy", scores, rows.labels[row], 1, 0);
      }
      return sum;
    };
    constexpr Real kStep = 1e-6L;
    for (const Tensor& tensor : model->layout().tensors())
      for (Index i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
        Real& coordinate = point[static_cast<std::size_t>(i)];
        const Real middle = coordinate;
        coordinate = middle + kStep;
        const Real above = cost();
        coordinate = middle - kStep;
        const Real below = cost();
        coordinate = middle;
        const auto expected = static_cast<double>((above - below) / (2 * kStep));
        ASSERT_NEAR(gradient[static_cast<std::size_t>(i)], expected, 2e-5 * (1.0 + std::abs(expected)))
            << tensor.name << " element " << i - tensor.offset;
      }
  }
}

TEST(Embedding, InitialRowsHaveLengthOneOnAverage) {
  Options options = options_of("relu");
  options.set("model.embedding", std::int64_t{16}, "test");
  const auto model = make_model("mlp", {.features = 1, .categories = {500}}, options);
  std::vector<float> weights(static_cast<std::size_t>(model->layout().size()));
  model->initialize(7, weights.data());
  double squares = 0;
  for (Index i = 0; i < 500 * 16; ++i)
    squares += std::pow(static_cast<double>(weights[static_cast<std::size_t>(i)]), 2);
  EXPECT_NEAR(squares / 500, 1, 0.1);
}

TEST(Embedding, RefusesSparseRows) {
  ModelShape shape = kShape;
  shape.is_sparse = true;
  EXPECT_THROW(make_model("mlp", shape, options_of("relu")), Error);
}

}  // namespace
}  // namespace lockstep::testing
