// SPDX-License-Identifier: Apache-2.0
#include "model/factorization_machine.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/problem.h"
#include "model/reference.h"

namespace lockstep::testing {
namespace {

TEST(FactorizationMachine, ScoresAreThoseOfAllPairs) {
  const Problem problem(40, 9, 3, 1);
  for (const Index outputs : {1, 3}) {
    const auto model = make_model("fm", {9, outputs, true});
    const auto weights = random_weights(model->layout(), 2);
    const auto scores = scores_of(*model, weights.data(), problem.batch(true), outputs, Pass::kEvaluate);
    for (Index i = 0; i < problem.rows(); ++i) {
      const auto expected =
          reference_pair_scores(model->layout(), {weights.begin(), weights.end()}, problem.dense().row(i), 9,
                                static_cast<std::size_t>(outputs));
      for (Index o = 0; o < outputs; ++o)
        // Sums of some 10 products of size 1, whose squares are subtracted again.
        EXPECT_NEAR(scores[static_cast<std::size_t>(i * outputs + o)],
                    static_cast<double>(expected[static_cast<std::size_t>(o)]), 2e-5);
    }
  }
}

TEST(FactorizationMachine, StartsWithFactorsOfTheAskedSpreadAndNothingElse) {
  Options options = model_options();
  options.set("model.factor_spread", 0.02, "test");
  const auto model = make_model("fm", {4000, 1, true}, options);
  AlignedVector<float> weights(static_cast<std::size_t>(model->layout().size()));
  model->initialize(3, weights.data());
  double sum = 0, squares = 0;
  for (std::size_t j = 0; j < 4000; ++j) {
    EXPECT_EQ(weights[j * 9], 0.0F);
    for (std::size_t f = 1; f < 9; ++f) {
      sum += weights[j * 9 + f];
      squares += static_cast<double>(weights[j * 9 + f]) * weights[j * 9 + f];
    }
  }
  EXPECT_NEAR(sum / 32000, 0, 5 * 0.02 / std::sqrt(32000.0));  // five standard errors
  EXPECT_NEAR(std::sqrt(squares / 32000), 0.02, 5 * 0.02 / std::sqrt(2 * 32000.0));
}

// Features left out keep their linear weight, change no pair, and their factors get no gradient.
TEST(FactorizationMachine, LeavesRareFeaturesOutOfPairs) {
  Options options = model_options();
  options.set("model.min_count", std::int64_t{5}, "test");
  const Problem problem(13, 5, 0, 21);
  const auto loss = make_loss("squared");
  const auto model = make_model("fm", {5, 1, true}, options);
  EXPECT_EQ(model->min_count(), 5);
  auto weights = random_weights(model->layout(), 5);
  const std::vector<std::uint32_t> counts = {5, 4, 100, 0, 7};
  const auto before = weights;
  model->leave_out_rare(counts, weights.data());
  const auto gradient = gradient_of(*model, *loss, weights.data(), problem.batch(true), 1);
  for (std::size_t j = 0; j < 5; ++j) {
    EXPECT_EQ(weights[j * 9], before[j * 9]);
    EXPECT_NE(gradient[j * 9], 0.0F);
    for (std::size_t f = j * 9 + 1; f < j * 9 + 9; ++f) {
      EXPECT_EQ(weights[f], counts[j] >= 5 ? before[f] : 0.0F);
      EXPECT_EQ(gradient[f] != 0.0F, counts[j] >= 5);
    }
  }
}

}  // namespace
}  // namespace lockstep::testing
