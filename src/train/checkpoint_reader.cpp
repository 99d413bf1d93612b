// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint_reader.h"

#include <algorithm>

#include "lockstep/core/error.h"

namespace lockstep {

CheckpointReader::CheckpointReader(std::filesystem::path folder)
    : folder_(std::move(folder)), manifest_(read_manifest(folder_)), parts_(manifest_.parts.size()) {}

PartReader& CheckpointReader::part(std::size_t number) {
  if (!parts_[number])
    parts_[number] = std::make_unique<PartReader>(folder_ / part_name(number), manifest_.parts[number]);
  return *parts_[number];
}

int CheckpointReader::find(const std::string& vector) const {
  const int number = manifest_.find(vector);
  if (number < 0) throw Error(ExitCode::kData, folder_.string() + ": has no vector \"" + vector + "\"");
  return number;
}

void CheckpointReader::read(const std::string& vector, Index begin, Index end, float* out) {
  const int number = find(vector);
  if (begin < 0 || end > manifest_.vectors[static_cast<std::size_t>(number)].size)
    throw Error(ExitCode::kData, folder_.string() + ": " + vector + " is shorter than this run's");
  for (std::size_t i = 0; i < manifest_.parts.size(); ++i) {
    Index at = 0;
    for (const CheckpointPiece& piece : manifest_.parts[i].pieces) {
      const Index first = std::max(begin, piece.begin), last = std::min(end, piece.end);
      if (piece.vector == number && first < last)
        part(i).read(at + first - piece.begin, last - first, out + (first - begin));
      at += piece.end - piece.begin;
    }
  }
}

void CheckpointReader::require(const std::string& vector, const std::string& prefix,
                               const ParameterLayout& layout) const {
  const CheckpointVector& there = manifest_.vectors[static_cast<std::size_t>(find(vector))];
  const bool is_same =
      there.size == layout.size() &&
      std::equal(there.tensors.begin(), there.tensors.end(), layout.tensors().begin(), layout.tensors().end(),
                 [&](const CheckpointTensor& a, const Tensor& b) {
                   return a.name == prefix + b.name && a.shape == b.shape && a.offset == b.offset;
                 });
  if (!is_same)
    throw Error(ExitCode::kData, folder_.string() + ": " + vector + " has not the tensors of this model");
}

TensorFile CheckpointReader::tensors(const std::string& prefix) {
  TensorFile file;
  file.metadata = {{"format", kCheckpointFormat},
                   {"config", manifest_.config},
                   {"state", manifest_.state},
                   {"checksum", manifest_.checksum}};
  std::vector<TensorView> views;
  for (const CheckpointVector& vector : manifest_.vectors) {
    if (!vector.name.starts_with(prefix)) continue;
    for (const CheckpointTensor& tensor : vector.tensors) {
      file.tensors.push_back({tensor.name, tensor.shape, {}});
      file.tensors.back().values.resize(static_cast<std::size_t>(tensor.size));
      read(vector.name, tensor.offset, tensor.offset + tensor.size, file.tensors.back().values.data());
    }
  }
  for (const TensorData& tensor : file.tensors)
    views.push_back(
        {tensor.name, tensor.shape, tensor.values.data(), static_cast<Index>(tensor.values.size())});
  file.data_hash = hash_of(views);
  return file;
}

void CheckpointReader::verify() {
  for (std::size_t i = 0; i < parts_.size(); ++i) part(i).verify();
}

}  // namespace lockstep
