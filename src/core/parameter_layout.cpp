// SPDX-License-Identifier: Apache-2.0
#include "lockstep/core/parameter_layout.h"

#include <algorithm>

#include "lockstep/core/error.h"

namespace lockstep {

int ParameterLayout::add(std::string name, std::vector<Index> shape, bool is_penalized) {
  Tensor tensor;
  tensor.size = 1;
  const Index left = most_ - logical_size();
  for (const Index extent : shape)
    if (__builtin_mul_overflow(tensor.size, extent, &tensor.size) || tensor.size > left)
      throw Error(ExitCode::kConfig, "the model has more than " + std::to_string(most_) +
                                         " parameters, with " + name +
                                         (most_ < kMostFloats ? "; its file has no more" : ""));
  tensor.name = std::move(name);
  tensor.shape = std::move(shape);
  tensor.is_penalized = is_penalized;
  tensor.offset = size_;
  const int number = static_cast<int>(tensors_.size());
  for (Index begin = 0; begin < tensor.size; begin += kBlockSize)
    blocks_.push_back({number, size_ + begin, size_ + std::min(begin + kBlockSize, tensor.size)});
  size_ += (tensor.size + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
  tensors_.push_back(std::move(tensor));
  return number;
}

Index ParameterLayout::logical_size() const {
  Index total = 0;
  for (const Tensor& tensor : tensors_) total += tensor.size;
  return total;
}

}  // namespace lockstep
