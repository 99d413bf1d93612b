// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "model/class_scores.h"
#include "model/lanes.h"
#include "model/loss_rows.h"

namespace lockstep {

namespace {

// values[k] = exp(score[k] − largest score); returns their sum, NaN if a score is not finite.
double shifted_exponentials(const float* scores, Index outputs, float* values) {
  const float largest = *std::max_element(scores, scores + outputs);
  DoubleLanes lanes;
  double sum = 0.0;
  for (Index begin = 0; begin < outputs; begin += kLanes) {
    const int used = static_cast<int>(std::min<Index>(outputs - begin, kLanes));
    for (int j = 0; j < kLanes; ++j)
      lanes[j] = j < used ? static_cast<double>(scores[begin + j]) - static_cast<double>(largest) : 0.0;
    const DoubleLanes result = lanes.exp() + (lanes - lanes);
    for (int j = 0; j < used; ++j) {
      values[begin + j] = static_cast<float>(result[j]);
      sum += result[j];
    }
  }
  return sum;
}

// −Σ_k q_k · log softmax(scores)_k, where q = (1 − smoothing)·onehot(label) + smoothing / K
// (Szegedy et al., 2016).
class CrossEntropyLoss final : public Loss {
 public:
  explicit CrossEntropyLoss(double smoothing) : smoothing_(smoothing) {}

  Task task() const override { return Task::kClassification; }
  Index outputs(Index classes) const override {
    binary_or_one_vs_rest(classes);
    return classes;
  }

  void evaluate(ConstMatrix scores, const float* labels, const float* weights, double* row_loss,
                Matrix gradient) const override {
    const Index outputs = scores.cols;
    const double share = smoothing_ / static_cast<double>(outputs);
    for (Index i = 0; i < scores.rows; ++i) {
      const float* row = scores.row(i);
      float* out = gradient.row(i);
      const auto label = static_cast<Index>(labels[i]);
      const double sum = shifted_exponentials(row, outputs, out);
      row_loss[i] = loss_of_row(row, outputs, label, sum);
      if (weights[i] == 0.0F) {
        std::fill_n(out, outputs, 0.0F);
        continue;
      }
      const double weight = weights[i];
      for (Index k = 0; k < outputs; ++k) {
        const double target = share + (k == label ? 1.0 - smoothing_ : 0.0);
        out[k] = static_cast<float>(weight * (out[k] / sum - target));
      }
    }
  }

  void predict(ConstMatrix scores, Index, Matrix prediction) const override {
    for (Index i = 0; i < scores.rows; ++i) {
      float* out = prediction.row(i);
      const double sum = shifted_exponentials(scores.row(i), scores.cols, out);
      for (Index k = 0; k < scores.cols; ++k) out[k] = static_cast<float>(out[k] / sum);
    }
  }

 private:
  double loss_of_row(const float* row, Index outputs, Index label, double sum) const {
    const double largest = *std::max_element(row, row + outputs);
    const double log_sum = largest + std::log(sum);
    double loss = (1.0 - smoothing_) * (log_sum - row[label]);
    if (smoothing_ == 0.0) return loss;
    for (Index k = 0; k < outputs; ++k)
      loss += smoothing_ / static_cast<double>(outputs) * (log_sum - row[k]);
    return loss;
  }

  double smoothing_;
};

}  // namespace

LossRow cross_entropy_loss() {
  return {"cross_entropy", "softmax cross-entropy",
          [](OptionTable& table) {
            table.real("model.label_smoothing", 0.0, "share of each label spread evenly over all classes")
                .range(0.0, 1.0);
          },
          [](const Options& options) -> std::unique_ptr<Loss> {
            return std::make_unique<CrossEntropyLoss>(options.real("model.label_smoothing"));
          }};
}

}  // namespace lockstep
