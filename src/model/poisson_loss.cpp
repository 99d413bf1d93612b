// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>

#include "lockstep/core/error.h"
#include "model/elementwise_loss.h"
#include "model/loss_rows.h"

namespace lockstep {

namespace {

constexpr double kLargestScore = 80.0;

// exp(u) − label·u, u = min(score, 80): the negative log likelihood but for log(label!). Beyond the clamp the
// loss is constant, yet its slope stays exp(80) − label, which leads back.
class PoissonLoss final : public Loss {
 public:
  Task task() const override { return Task::kRegression; }
  Index outputs(Index) const override { return 1; }
  void check_label(float label) const override {
    if (!(label >= 0.0F) || !std::isfinite(label))
      throw Error(ExitCode::kData,
                  "the label " + std::to_string(label) + " is not a count; expected a value ≥ 0");
  }

  void evaluate(ConstMatrix scores, const float* labels, const float* weights, double* row_loss,
                Matrix gradient) const override {
    evaluate_elementwise(
        [](const DoubleLanes& score, const DoubleLanes& target, DoubleLanes& loss, DoubleLanes& slope) {
          const DoubleLanes clamped = score.min(kLargestScore);
          const DoubleLanes mean = clamped.exp();
          loss = mean - target * clamped;
          slope = mean - target;
        },
        Target::kLabel, scores, labels, weights, row_loss, gradient);
  }

  // The mean count, exp(score).
  void predict(ConstMatrix scores, Index, Matrix prediction) const override {
    for (Index i = 0; i < scores.rows; ++i) {
      const double score = scores.row(i)[0];
      prediction.row(i)[0] = static_cast<float>(std::exp(score > kLargestScore ? kLargestScore : score));
    }
  }
};

}  // namespace

LossRow poisson_loss() {
  return {"poisson", "counts, log link: exp(score) − label·score; scores above 80 count as 80", nullptr,
          [](const Options&) -> std::unique_ptr<Loss> { return std::make_unique<PoissonLoss>(); }};
}

}  // namespace lockstep
