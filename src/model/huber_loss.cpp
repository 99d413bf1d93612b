// SPDX-License-Identifier: Apache-2.0
#include "model/elementwise_loss.h"
#include "model/loss_rows.h"
#include "model/mean_prediction.h"

namespace lockstep {

namespace {

// ½e² for |e| ≤ delta, else delta·(|e| − ½·delta), e = score − label (Huber, 1964).
class HuberLoss final : public Loss {
 public:
  explicit HuberLoss(double delta) : delta_(delta) {}

  Task task() const override { return Task::kRegression; }
  Index outputs(Index) const override { return 1; }

  void evaluate(ConstMatrix scores, const float* labels, const float* weights, double* row_loss,
                Matrix gradient) const override {
    evaluate_elementwise(
        [this](const DoubleLanes& score, const DoubleLanes& target, DoubleLanes& loss, DoubleLanes& slope) {
          const DoubleLanes error = score - target;
          slope = error.max(-delta_).min(delta_);
          loss = slope * (error - 0.5 * slope);
        },
        Target::kLabel, scores, labels, weights, row_loss, gradient);
  }

  void predict(ConstMatrix scores, Index, Matrix prediction) const override {
    predict_score(scores, prediction);
  }

 private:
  double delta_;
};

}  // namespace

LossRow huber_loss() {
  return {"huber", "squared near the label, linear beyond model.huber_delta",
          [](OptionTable& table) {
            table.real("model.huber_delta", 1.0, "error from which on the Huber loss is linear").range(1e-6);
          },
          [](const Options& options) -> std::unique_ptr<Loss> {
            return std::make_unique<HuberLoss>(options.real("model.huber_delta"));
          }};
}

}  // namespace lockstep
