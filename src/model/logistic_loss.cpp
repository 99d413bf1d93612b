// SPDX-License-Identifier: Apache-2.0
#include "model/class_scores.h"
#include "model/elementwise_loss.h"
#include "model/loss_rows.h"

namespace lockstep {

namespace {

// log(1 + exp(−z)), z = ±score with the sign of the class; only exp(−|z|) ≤ 1 is ever computed. In double the
// plain logarithm errs by 1e-16, far below what a sum of losses shows.
void logistic_formula(const DoubleLanes& score, const DoubleLanes& target, DoubleLanes& loss,
                      DoubleLanes& slope) {
  const DoubleLanes sign = 2.0 * target - 1.0;
  const DoubleLanes margin = sign * score;
  const DoubleLanes e = (-margin.abs()).exp();
  const DoubleLanes sum = 1.0 + e;
  loss = sum.log();
  for (int i = 0; i < kLanes; ++i) loss[i] += margin[i] < 0.0 ? -margin[i] : 0.0;
  for (int i = 0; i < kLanes; ++i) slope[i] = margin[i] < 0.0 ? 1.0 : e[i];
  slope = -sign * slope / sum;
}

float sigmoid(float score) {
  const double e = std::exp(-std::abs(static_cast<double>(score)));
  return static_cast<float>((score < 0.0F ? e : 1.0) / (1.0 + e));
}

class LogisticLoss final : public Loss {
 public:
  Task task() const override { return Task::kClassification; }
  Index outputs(Index classes) const override { return binary_or_one_vs_rest(classes); }

  void evaluate(ConstMatrix scores, const float* labels, const float* weights, double* row_loss,
                Matrix gradient) const override {
    evaluate_elementwise(logistic_formula, scores.cols == 1 ? Target::kLabel : Target::kIsOutput, scores,
                         labels, weights, row_loss, gradient);
  }

  // One against the rest: the sigmoids of all classes, scaled to sum 1.
  void predict(ConstMatrix scores, Index classes, Matrix prediction) const override {
    for (Index i = 0; i < scores.rows; ++i) {
      float* out = prediction.row(i);
      if (scores.cols == 1) {
        out[0] = sigmoid(-scores.row(i)[0]);
        out[1] = sigmoid(scores.row(i)[0]);
        continue;
      }
      float sum = 0.0F;
      for (Index k = 0; k < classes; ++k) sum += out[k] = sigmoid(scores.row(i)[k]);
      const Index decided = decided_class(scores.row(i), classes);
      for (Index k = 0; k < classes; ++k) out[k] = sum < 1e-30F ? (k == decided ? 1.0F : 0.0F) : out[k] / sum;
    }
  }
};

}  // namespace

LossRow logistic_loss() {
  return {"logistic", "log(1 + exp(−margin)); one class against the rest beyond two classes", nullptr,
          [](const Options&) -> std::unique_ptr<Loss> { return std::make_unique<LogisticLoss>(); }};
}

}  // namespace lockstep
