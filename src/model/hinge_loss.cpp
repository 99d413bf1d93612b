// SPDX-License-Identifier: Apache-2.0
#include "model/class_scores.h"
#include "model/elementwise_loss.h"
#include "model/loss_rows.h"

namespace lockstep {

namespace {

// max(0, 1 − z), z = ±score with the sign of the class; its slope at z = 1 is 0.
class HingeLoss final : public Loss {
 public:
  Task task() const override { return Task::kClassification; }
  Index outputs(Index classes) const override { return binary_or_one_vs_rest(classes); }
  bool gives_probabilities() const override { return false; }

  void evaluate(ConstMatrix scores, const float* labels, const float* weights, double* row_loss,
                Matrix gradient) const override {
    evaluate_elementwise(
        [](const DoubleLanes& score, const DoubleLanes& target, DoubleLanes& loss, DoubleLanes& slope) {
          const DoubleLanes sign = 2.0 * target - 1.0;
          const DoubleLanes gap = 1.0 - sign * score;
          for (int i = 0; i < kLanes; ++i) loss[i] = gap[i] > 0.0 ? gap[i] : 0.0;
          for (int i = 0; i < kLanes; ++i) slope[i] = gap[i] > 0.0 ? -sign[i] : 0.0;
        },
        scores.cols == 1 ? Target::kLabel : Target::kIsOutput, scores, labels, weights, row_loss, gradient);
  }

  void predict(ConstMatrix scores, Index, Matrix prediction) const override {
    predict_one_hot(scores, prediction);
  }
};

}  // namespace

LossRow hinge_loss() {
  return {"hinge", "max(0, 1 − margin); one class against the rest beyond two classes", nullptr,
          [](const Options&) -> std::unique_ptr<Loss> { return std::make_unique<HingeLoss>(); }};
}

}  // namespace lockstep
