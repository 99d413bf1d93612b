// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "model/class_scores.h"
#include "model/elementwise_loss.h"
#include "model/loss_rows.h"

namespace lockstep {

namespace {

// log(1 + e) = 2·artanh(e / (2 + e)) for 0 ≤ e ≤ 1 by its power series: with s ≤ 1/3 what is left out is
// below 2e-10 of the value, small e keep their digits, and nothing is slower than a division.
Lanes log_one_plus(const Lanes& e) {
  const Lanes s = e / (2.0F + e);
  const Lanes square = s * s;
  Lanes series = Lanes::Constant(1.0F / 17.0F);
  series = series * square + 1.0F / 15.0F;
  series = series * square + 1.0F / 13.0F;
  series = series * square + 1.0F / 11.0F;
  series = series * square + 1.0F / 9.0F;
  series = series * square + 1.0F / 7.0F;
  series = series * square + 1.0F / 5.0F;
  series = series * square + 1.0F / 3.0F;
  series = series * square + 1.0F;
  return 2.0F * s * series;
}

// log(1 + exp(−z)), z = ±score with the sign of the class; only e = exp(−|z|) ≤ 1 is ever computed. In float:
// the score is no more exact, and doubles take three times as long.
void logistic_formula(const Lanes& score, const Lanes& target, Lanes& loss, Lanes& slope) {
  const Lanes sign = 2.0F * target - 1.0F;
  const Lanes margin = sign * score;
  const Lanes e = (-margin.abs()).exp();
  loss = log_one_plus(e) + (-margin).max(0.0F);
  Lanes numerator;
  for (int i = 0; i < kLanes; ++i) numerator[i] = margin[i] < 0.0F ? 1.0F : e[i];
  slope = -sign * numerator / (1.0F + e);
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
    evaluate_elementwise<Lanes>(logistic_formula, scores.cols == 1 ? Target::kLabel : Target::kIsOutput,
                                scores, labels, weights, row_loss, gradient);
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
