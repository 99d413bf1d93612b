// SPDX-License-Identifier: Apache-2.0
#include "data/demo_rows.h"

#include <bit>
#include <cmath>
#include <vector>

#include "data/demo_sparse_rows.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

void fill_normal(const Philox& random, std::size_t count, float* out) {
  for (std::size_t j = 0; j + 2 <= count; j += 2) {
    const auto words = random.words(j / 2);
    out[j] = Philox::to_normal(words[0], words[1]);
    out[j + 1] = Philox::to_normal(words[2], words[3]);
  }
  if (count % 2 == 0) return;
  const auto words = random.words(count / 2);
  out[count - 1] = Philox::to_normal(words[0], words[1]);
}

float dot(const std::vector<float>& a, const std::vector<float>& b) {
  float sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

/// linear and logistic. Feature j has the variance condition^(−j / (D − 1)) and as much influence as the
/// first: full-batch descent needs steps in proportion to the condition.
class PlaneRows final : public DemoRows {
 public:
  explicit PlaneRows(DemoOptions options) : DemoRows(std::move(options)) {
    const auto width = static_cast<std::size_t>(options_.features);
    values_.resize(width);
    truth_.resize(width);
    fill_normal(random_of_truth(), width, truth_.data());
    const float norm = std::sqrt(dot(truth_, truth_));
    for (float& weight : truth_) weight /= norm;
    scale_.resize(width, 1);
    for (std::size_t j = 1; j < width; ++j)
      scale_[j] = static_cast<float>(
          std::pow(options_.condition, -0.5 * static_cast<double>(j) / static_cast<double>(width - 1)));
  }

  RowSchema schema() const override {
    if (options_.name == "logistic") return class_schema(2);
    RowSchema schema;
    schema.features = options_.features;
    return schema;
  }

  void make(std::uint64_t number, Row& row) override {
    const Philox random = random_of(number);
    fill_normal(random, values_.size(), values_.data());
    const float score = dot(values_, truth_);
    if (options_.condition > 1)
      for (std::size_t j = 0; j < values_.size(); ++j) values_[j] *= scale_[j];
    row.dense = values_.data();
    if (options_.name == "logistic") {
      row.label.number = with_noise(random, score > 0 ? 1 : 0, 2);
    } else {
      row.label.number = with_normal_noise(random, score);
    }
  }

 private:
  std::vector<float> truth_, scale_, values_;
};

/// Class k around the corner whose sign in feature j is bit (j mod bits) of k. A normal feature stays within
/// ±3.47, so blobs 8 apart do not touch.
class BlobRows final : public DemoRows {
 public:
  explicit BlobRows(DemoOptions options)
      : DemoRows(std::move(options)), values_(static_cast<std::size_t>(options_.features)) {}

  RowSchema schema() const override { return class_schema(options_.classes); }

  void make(std::uint64_t number, Row& row) override {
    const Philox random = random_of(number);
    const std::uint64_t label = random.below(kLabelCounter, static_cast<std::uint64_t>(options_.classes));
    const auto bits =
        static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(options_.classes - 1)));
    fill_normal(random, values_.size(), values_.data());
    for (std::size_t j = 0; j < values_.size(); ++j)
      values_[j] += (label >> (j % bits) & 1U) != 0 ? 4.0F : -4.0F;
    row.dense = values_.data();
    row.label.number = with_noise(random, static_cast<Index>(label), options_.classes);
  }

 private:
  std::vector<float> values_;
};

/// Arms of 1.5 turns; a point leaves the middle of its arm by less than a third of the distance to the next.
class SpiralRows final : public DemoRows {
 public:
  explicit SpiralRows(DemoOptions options)
      : DemoRows(std::move(options)), values_(static_cast<std::size_t>(options_.features)) {}

  RowSchema schema() const override { return class_schema(options_.classes); }

  void make(std::uint64_t number, Row& row) override {
    constexpr double kTwoPi = 6.283185307179586;
    const Philox random = random_of(number);
    const auto classes = static_cast<double>(options_.classes);
    const auto label =
        static_cast<Index>(random.below(kLabelCounter, static_cast<std::uint64_t>(options_.classes)));
    fill_normal(random, values_.size(), values_.data());
    const auto words = random.words(kLabelCounter + 2);
    const double radius = 0.1 + 0.9 * static_cast<double>(Philox::to_unit(words[0]));
    const double sway = (static_cast<double>(Philox::to_unit(words[1])) - 0.5) * 0.6;
    const double angle = kTwoPi * ((static_cast<double>(label) + sway) / classes + 1.5 * radius);
    values_[0] = static_cast<float>(radius * std::cos(angle));
    values_[1] = static_cast<float>(radius * std::sin(angle));
    row.dense = values_.data();
    row.label.number = with_noise(random, label, options_.classes);
  }

 private:
  std::vector<float> values_;
};

}  // namespace

double DemoRows::with_noise(const Philox& random, Index label, Index classes) const {
  const auto words = random.words(kNoiseCounter);
  if (static_cast<double>(words[0]) * 0x1p-32 >= options_.noise) return static_cast<double>(label);
  const Index others = classes - 1;
  const auto step =
      static_cast<Index>(static_cast<std::uint64_t>(words[1]) * static_cast<std::uint64_t>(others) >> 32);
  return static_cast<double>((label + 1 + step) % classes);
}

double DemoRows::with_normal_noise(const Philox& random, float value) const {
  const auto words = random.words(kNoiseCounter);
  return static_cast<double>(value) +
         options_.noise * static_cast<double>(Philox::to_normal(words[0], words[1]));
}

RowSchema DemoRows::class_schema(Index classes) const {
  RowSchema schema;
  schema.features = options_.features;
  for (Index k = 0; k < classes; ++k) schema.classes.push_back(std::to_string(k));
  return schema;
}

std::unique_ptr<DemoRows> make_demo_rows(const std::string& source) {
  DemoOptions options = parse_demo(source);
  const std::string name = options.name;
  if (name == "linear" || name == "logistic") return std::make_unique<PlaneRows>(std::move(options));
  if (name == "blobs") return std::make_unique<BlobRows>(std::move(options));
  if (name == "spirals") return std::make_unique<SpiralRows>(std::move(options));
  if (name == "sparse" || name == "fm") return make_sparse_demo_rows(std::move(options));
  throw Error(ExitCode::kData, source + ": there is no demo set \"" + name +
                                   "\"; known are linear, logistic, blobs, spirals, sparse, fm");
}

}  // namespace lockstep
