// SPDX-License-Identifier: Apache-2.0
#include "model/elementwise_loss.h"
#include "model/loss_rows.h"
#include "model/mean_prediction.h"

namespace lockstep {

namespace {

// |score − label|; its slope at 0 is 0.
class AbsoluteLoss final : public Loss {
 public:
  Task task() const override { return Task::kRegression; }
  Index outputs(Index) const override { return 1; }

  void evaluate(ConstMatrix scores, const float* labels, const float* weights, double* row_loss,
                Matrix gradient) const override {
    evaluate_elementwise(
        [](const DoubleLanes& score, const DoubleLanes& target, DoubleLanes& loss, DoubleLanes& slope) {
          const DoubleLanes error = score - target;
          loss = error.abs();
          for (int i = 0; i < kLanes; ++i)
            slope[i] = (error[i] > 0.0 ? 1.0 : 0.0) - (error[i] < 0.0 ? 1.0 : 0.0);
        },
        Target::kLabel, scores, labels, weights, row_loss, gradient);
  }

  void predict(ConstMatrix scores, Index, Matrix prediction) const override {
    predict_score(scores, prediction);
  }
};

}  // namespace

LossRow absolute_loss() {
  return {"absolute", "the absolute error |score − label|", nullptr,
          [](const Options&) -> std::unique_ptr<Loss> { return std::make_unique<AbsoluteLoss>(); }};
}

}  // namespace lockstep
