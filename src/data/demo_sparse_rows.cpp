// SPDX-License-Identifier: Apache-2.0
#include "data/demo_sparse_rows.h"

#include <cmath>
#include <vector>

namespace lockstep {

namespace {

/// One entry in each of `nonzeros` equal ranges of columns, at a power (the square) of a uniform place: the
/// first columns of a range are frequent, the last ones rare.
class SparseEntryRows : public DemoRows {
 public:
  explicit SparseEntryRows(DemoOptions options)
      : DemoRows(std::move(options)),
        columns_(static_cast<std::size_t>(options_.nonzeros)),
        values_(columns_.size()) {}

  void make(std::uint64_t number, Row& row) final {
    const Philox random = random_of(number);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto words = random.words(i);
      const auto at = static_cast<Index>(i);
      const Index first = at * options_.features / options_.nonzeros;
      const Index width = (at + 1) * options_.features / options_.nonzeros - first;
      const double place = static_cast<double>(Philox::to_unit(words[0]));
      const double spread = options_.power == 2 ? place * place : std::pow(place, options_.power);
      columns_[i] =
          static_cast<std::uint32_t>(first + static_cast<Index>(spread * static_cast<double>(width)));
      values_[i] = 0.5F + Philox::to_unit(words[1]);
    }
    row.columns = columns_.data();
    row.values = values_.data();
    row.count = options_.nonzeros;
    row.label.number = label(random, score());
  }

 protected:
  virtual float score() = 0;
  virtual double label(const Philox& random, float score) const = 0;

  std::vector<std::uint32_t> columns_;
  std::vector<float> values_;
};

class PlaneEntryRows final : public SparseEntryRows {
 public:
  using SparseEntryRows::SparseEntryRows;

  RowSchema schema() const override {
    RowSchema schema = class_schema(2);
    schema.is_sparse = true;
    return schema;
  }

 protected:
  float score() override {
    const Philox truth = random_of_truth();
    float score = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto weight = truth.words(columns_[i]);
      score += values_[i] * Philox::to_normal(weight[0], weight[1]);
    }
    return score;
  }
  double label(const Philox& random, float score) const override {
    return with_noise(random, score > 0 ? 1 : 0, 2);
  }
};

class FactorRows final : public SparseEntryRows {
 public:
  explicit FactorRows(DemoOptions options)
      : SparseEntryRows(std::move(options)),
        sums_(static_cast<std::size_t>(options_.factors)),
        squares_(sums_.size()) {
    const double square = 13.0 / 12;  // mean of x²
    const auto entries = static_cast<double>(options_.nonzeros);
    const double terms = entries * (entries - 1) / 2 * static_cast<double>(options_.factors);
    weight_scale_ = static_cast<float>(std::sqrt(0.25 / (entries * square)));
    factor_scale_ = static_cast<float>(std::pow(0.75 / (terms * square * square), 0.25));
  }

  RowSchema schema() const override {
    RowSchema schema;
    if (options_.classes == 2) schema = class_schema(2);
    schema.features = options_.features;
    schema.is_sparse = true;
    return schema;
  }

 protected:
  float score() override {
    const Philox truth = random_of_truth();
    std::fill(sums_.begin(), sums_.end(), 0.0F);
    std::fill(squares_.begin(), squares_.end(), 0.0F);
    float score = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto weight = truth.words(columns_[i]);
      score += weight_scale_ * values_[i] * Philox::to_normal(weight[0], weight[1]);
      for (std::size_t f = 0; f < sums_.size(); ++f) {
        const auto words = truth.words(columns_[i] | static_cast<std::uint64_t>(f / 2 + 1) << 32);
        const std::size_t half = f % 2 * 2;
        const float part = factor_scale_ * values_[i] * Philox::to_normal(words[half], words[half + 1]);
        sums_[f] += part;
        squares_[f] += part * part;
      }
    }
    for (std::size_t f = 0; f < sums_.size(); ++f) score += 0.5F * (sums_[f] * sums_[f] - squares_[f]);
    return score;
  }
  double label(const Philox& random, float score) const override {
    if (options_.classes == 2) return with_noise(random, score > 0 ? 1 : 0, 2);
    return with_normal_noise(random, score);
  }

 private:
  std::vector<float> sums_, squares_;  // by factor
  float weight_scale_ = 0, factor_scale_ = 0;
};

}  // namespace

std::unique_ptr<DemoRows> make_sparse_demo_rows(DemoOptions options) {
  if (options.name == "fm") return std::make_unique<FactorRows>(std::move(options));
  return std::make_unique<PlaneEntryRows>(std::move(options));
}

}  // namespace lockstep
