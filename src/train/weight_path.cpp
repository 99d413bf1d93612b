// SPDX-License-Identifier: Apache-2.0
#include "train/weight_path.h"

#include <algorithm>

#include "lockstep/core/error.h"

namespace lockstep {

void WeightPath::add(Index step, const std::vector<TensorView>& weights) {
  if (!wants(step)) return;
  // One place is left for the last step.
  while (steps_.size() + 1 >= most_ && step % stride_ == 0) drop_every_second();
  if (step % stride_ == 0) append(step, weights);
}

void WeightPath::append(Index step, const std::vector<TensorView>& weights) {
  size_ = 0;
  for (const TensorView& tensor : weights) {
    weights_.insert(weights_.end(), tensor.data, tensor.data + tensor.size);
    size_ += tensor.size;
  }
  steps_.push_back(step);
}

void WeightPath::drop_every_second() {
  stride_ *= 2;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i] % stride_ != 0) continue;
    steps_[kept] = steps_[i];
    std::copy_n(weights_.begin() + static_cast<Index>(i) * size_, size_,
                weights_.begin() + static_cast<Index>(kept) * size_);
    ++kept;
  }
  steps_.resize(kept);
  weights_.resize(kept * static_cast<std::size_t>(size_));
}

void WeightPath::forget_after(Index step) {
  while (!steps_.empty() && steps_.back() > step) steps_.pop_back();
  weights_.resize(steps_.size() * static_cast<std::size_t>(size_));
}

void WeightPath::finish(Index step, const std::vector<TensorView>& weights,
                        const std::filesystem::path& path) {
  if (steps_.empty() || steps_.back() < step) append(step, weights);
  write(path);
}

void WeightPath::write(const std::filesystem::path& path) const {
  const auto count = static_cast<Index>(steps_.size());
  write_safetensors(path, {{"format", "lockstep-path-1"}, {"stride", std::to_string(stride_)}},
                    {{"steps", {count}, nullptr, count, steps_.data()},
                     {"weights", {count, size_}, weights_.data(), count * size_}});
}

void WeightPath::restore(const std::filesystem::path& path, Index step, Index size) {
  steps_.clear();
  weights_.clear();
  if (!std::filesystem::exists(path)) return;
  TensorFile file;
  try {
    file = read_safetensors(path);
  } catch (const Error&) {
    return;  // a picture is no reason not to train on
  }
  const TensorData *steps = file.find("steps"), *weights = file.find("weights");
  if (steps == nullptr || weights == nullptr || weights->shape.size() != 2 ||
      weights->shape[0] != static_cast<Index>(steps->values.size()) || weights->shape[1] != size)
    return;
  constexpr Index kLongestStride = Index{1} << 53;
  stride_ = std::clamp<Index>(std::atoll(file.metadata["stride"].c_str()), 1, kLongestStride);
  size_ = size;
  for (const float value : steps->values)
    if (value >= 0 && value <= static_cast<float>(step) && static_cast<Index>(value) % stride_ == 0)
      steps_.push_back(static_cast<Index>(value));
  weights_.assign(weights->values.begin(),
                  weights->values.begin() + static_cast<Index>(steps_.size()) * size_);
}

}  // namespace lockstep
