// SPDX-License-Identifier: Apache-2.0
#include "data/demo_rows.h"

#include <bit>
#include <cmath>
#include <vector>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// Counters of what is not a feature; features count from 0.
constexpr std::uint64_t kLabelCounter = std::uint64_t{1} << 50;
constexpr std::uint64_t kNoiseCounter = kLabelCounter + 1;
// The row number of the truth: no row of any part has it.
constexpr std::uint32_t kTruth = 0xFFFFFFFFU;

// The sum of four 16-bit uniform numbers, to mean 0 and variance 1.
float normal(std::uint32_t a, std::uint32_t b) {
  constexpr float kScale = 1.7320508F / 65536.0F;
  const auto sum = static_cast<std::int32_t>((a & 0xFFFFU) + (a >> 16) + (b & 0xFFFFU) + (b >> 16));
  return static_cast<float>(sum - 131070) * kScale;
}

void fill_normal(const Philox& random, std::size_t count, float* out) {
  for (std::size_t j = 0; j + 2 <= count; j += 2) {
    const auto words = random.words(j / 2);
    out[j] = normal(words[0], words[1]);
    out[j + 1] = normal(words[2], words[3]);
  }
  if (count % 2 == 0) return;
  const auto words = random.words(count / 2);
  out[count - 1] = normal(words[0], words[1]);
}

float dot(const std::vector<float>& a, const std::vector<float>& b) {
  float sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

/// linear and logistic. Feature j has the variance condition^(−j / (D − 1)) and as much influence as the first:
/// full-batch descent needs steps in proportion to the condition.
class PlaneRows final : public DemoRows {
 public:
  explicit PlaneRows(DemoOptions options) : DemoRows(std::move(options)) {
    const auto width = static_cast<std::size_t>(options_.features);
    values_.resize(width);
    truth_.resize(width);
    fill_normal(Philox(options_.seed, Purpose::kDemo, kTruth, kTruth), width, truth_.data());
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
      const auto words = random.words(kNoiseCounter);
      row.label.number =
          static_cast<double>(score) + options_.noise * static_cast<double>(normal(words[0], words[1]));
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

/// One entry in each of `nonzeros` equal ranges of columns, at a power (the square) of a uniform place: the
/// first columns of a range are frequent, the last ones rare.
class SparseRowsDemo final : public DemoRows {
 public:
  explicit SparseRowsDemo(DemoOptions options)
      : DemoRows(std::move(options)),
        columns_(static_cast<std::size_t>(options_.nonzeros)),
        values_(columns_.size()) {}

  RowSchema schema() const override {
    RowSchema schema = class_schema(2);
    schema.is_sparse = true;
    return schema;
  }

  void make(std::uint64_t number, Row& row) override {
    const Philox random = random_of(number);
    const Philox truth(options_.seed, Purpose::kDemo, kTruth, kTruth);
    float score = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto words = random.words(i);
      const auto at = static_cast<Index>(i);
      const Index first = at * options_.features / options_.nonzeros;
      const Index width = (at + 1) * options_.features / options_.nonzeros - first;
      const double place = static_cast<double>(Philox::to_unit(words[0]));
      const double spread = options_.power == 2 ? place * place : std::pow(place, options_.power);
      const auto column = first + static_cast<Index>(spread * static_cast<double>(width));
      columns_[i] = static_cast<std::uint32_t>(column);
      values_[i] = 0.5F + Philox::to_unit(words[1]);
      const auto weight = truth.words(static_cast<std::uint64_t>(column));
      score += values_[i] * normal(weight[0], weight[1]);
    }
    row.columns = columns_.data();
    row.values = values_.data();
    row.count = options_.nonzeros;
    row.label.number = with_noise(random, score > 0 ? 1 : 0, 2);
  }

 private:
  std::vector<std::uint32_t> columns_;
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
  if (name == "sparse") return std::make_unique<SparseRowsDemo>(std::move(options));
  throw Error(ExitCode::kData, source + ": there is no demo set \"" + name +
                                   "\"; known are linear, logistic, blobs, spirals, sparse");
}

}  // namespace lockstep
