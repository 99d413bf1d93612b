// SPDX-License-Identifier: Apache-2.0
// How the weights of a SparseStep are brought up to date, and how it is written to checkpoints and comes
// back.
#include <algorithm>
#include <bit>
#include <cstring>

#include "lockstep/core/error.h"
#include "train/sparse_step.h"

namespace lockstep {

const float* SparseStep::settled(float* out) const {
  const float* const weights = exchange_->weights();
  if (!lazy_.is_needed()) return weights;
  std::copy_n(weights, layout_.size(), out);
  AlignedVector<float> metric(lazy_.needs_state() ? static_cast<std::size_t>(tile_rows_ * width_) : 0);
  const Index rows = features().size / width_;
  for (Index first = 0; first < rows; first += tile_rows_) {
    const Index count = std::min(tile_rows_, rows - first);
    if (lazy_.needs_state()) std::copy_n(exchange_->metric() + first * width_, count * width_, metric.data());
    lazy_.catch_up(count, width_, exchange_->ages() + first, out + first * width_, metric.data());
  }
  return out;
}

// The window as pairs of floats, bit by bit, behind its length.
std::vector<TensorView> SparseStep::checkpoint_tensors() {
  if (!lazy_.is_needed()) return {};
  std::vector<double> window = lazy_.window();
  window.insert(window.begin(), static_cast<double>(window.size()));
  saved_window_.resize(2 * window.size());
  std::memcpy(saved_window_.data(), window.data(), window.size() * sizeof(double));
  const Index rows = features().size / width_;
  saved_ages_.assign(exchange_->ages(), exchange_->ages() + rows);
  return {{"lazy.weights", features().shape, exchange_->weights(), features().size},
          {"lazy.ages", {rows}, saved_ages_.data(), rows},
          {"lazy.window",
           {static_cast<Index>(saved_window_.size())},
           saved_window_.data(),
           static_cast<Index>(saved_window_.size())}};
}

void SparseStep::restore(const TensorFile& checkpoint, float* weights) {
  if (!lazy_.is_needed()) return;
  const TensorData* const values = checkpoint.find("lazy.weights");
  const TensorData* const ages = checkpoint.find("lazy.ages");
  const TensorData* const window = checkpoint.find("lazy.window");
  if (values == nullptr || ages == nullptr || window == nullptr || window->values.size() < 2 ||
      static_cast<Index>(values->values.size()) != features().size ||
      static_cast<Index>(ages->values.size()) != features().size / width_)
    throw Error(ExitCode::kData, "the checkpoint has not what its lazy updates have to make up for");
  std::copy(values->values.begin(), values->values.end(), weights);
  std::vector<double> numbers(window->values.size() / 2);
  std::memcpy(numbers.data(), window->values.data(), numbers.size() * sizeof(double));
  numbers.erase(numbers.begin());
  lazy_.restore(numbers);
  const Slice rows = exchange_->rows();
  for (Index row = rows.begin; row < rows.end; ++row) {
    const float age = ages->values[static_cast<std::size_t>(row)];
    if (!(age >= 0 && age <= static_cast<float>(lazy_.age())))
      throw Error(ExitCode::kData, "the checkpoint has weights that are older than what it made up for");
    exchange_->ages()[row] = static_cast<std::uint16_t>(age);
  }
}

}  // namespace lockstep
