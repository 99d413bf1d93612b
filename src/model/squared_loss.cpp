// SPDX-License-Identifier: Apache-2.0
#include "model/elementwise_loss.h"
#include "model/loss_rows.h"
#include "model/mean_prediction.h"

namespace lockstep {

namespace {

// ½·(score − label)², so that its slope is the error.
class SquaredLoss final : public Loss {
 public:
  Task task() const override { return Task::kRegression; }
  Index outputs(Index) const override { return 1; }

  void evaluate(ConstMatrix scores, const float* labels, const float* weights, double* row_loss,
                Matrix gradient) const override {
    evaluate_elementwise(
        [](const DoubleLanes& score, const DoubleLanes& target, DoubleLanes& loss, DoubleLanes& slope) {
          slope = score - target;
          loss = 0.5 * slope * slope;
        },
        Target::kLabel, scores, labels, weights, row_loss, gradient);
  }

  void predict(ConstMatrix scores, Index, Matrix prediction) const override {
    predict_score(scores, prediction);
  }
};

}  // namespace

LossRow squared_loss() {
  return {"squared", "half the squared error, ½·(score − label)²", nullptr,
          [](const Options&) -> std::unique_ptr<Loss> { return std::make_unique<SquaredLoss>(); }};
}

}  // namespace lockstep
