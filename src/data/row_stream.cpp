// SPDX-License-Identifier: Apache-2.0
#include "data/row_stream.h"

#include <fcntl.h>
#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "data/cache_label.h"
#include "data/copy_row.h"

namespace lockstep {

namespace {

constexpr std::size_t kDirectClasses = 1024;
constexpr std::size_t kParts = 6;  // calls of read_part() in a step

}  // namespace

std::size_t stretch_bytes(const CacheFile& file, int shards, Index block) {
  return static_cast<std::size_t>(cache_row_bytes(file.header())) * static_cast<std::size_t>(shards * block);
}

RowRing::RowRing(const Dataset& dataset)
    : dataset_(dataset),
      stream_(*dataset.stream()),
      file_(*stream_.file),
      row_bytes_(static_cast<std::size_t>(cache_row_bytes(file_.header()))),
      label_at_(static_cast<std::size_t>(cache_row_label_at(file_.header()))),
      slot_bytes_(stretch_bytes(file_, dataset.shards(), stream_.block)),
      slot_of_(static_cast<std::size_t>((dataset.shard_rows(0) + stream_.block - 1) / stream_.block), -1),
      held_(std::min(static_cast<std::size_t>(stream_.slots), slot_of_.size()), -1),
      memory_(held_.size() * slot_bytes_),
      classes_(kDirectClasses, -1.0F),
      row_(static_cast<std::size_t>(dataset.info().features)),
      wanted_(held_.size() + 1) {
  for (const auto& [number, label] : stream_.numbers)
    if (number >= 0 && number < static_cast<double>(kDirectClasses) && number == std::floor(number))
      classes_[static_cast<std::size_t>(number)] = label;
}

std::uint64_t RowRing::begin_of(Index number) const {
  return file_.header().rows_at + static_cast<std::uint64_t>(number) * slot_bytes_;
}

// The last is shorter.
std::size_t RowRing::bytes_of(Index number) const {
  const Index rows = stream_.block * dataset_.shards();
  return static_cast<std::size_t>(std::min(rows, dataset_.info().rows - number * rows)) * row_bytes_;
}

void RowRing::read(Index number) {
  const std::size_t slot = next_slot_;
  next_slot_ = slot + 1 == held_.size() ? 0 : slot + 1;
  if (held_[slot] >= 0) slot_of_[static_cast<std::size_t>(held_[slot])] = -1;
  held_[slot] = -1;
  file_.read(begin_of(number), bytes_of(number), memory_.data() + slot * slot_bytes_);
  held_[slot] = number;
  slot_of_[static_cast<std::size_t>(number)] = static_cast<std::int32_t>(slot);
}

const char* RowRing::stretch(Index number) {
  const auto at = static_cast<std::size_t>(number);
  if (slot_of_[at] < 0) read(number);
  return memory_.data() + static_cast<std::size_t>(slot_of_[at]) * slot_bytes_;
}

float RowRing::label_of(const char* at) const {
  if (!stream_.needs_labels) return 0;
  const double label = load_label(at, file_.header().label_bytes);
  if (stream_.is_regression) return static_cast<float>(label);
  float result = -1;
  if (std::isnan(label)) {
    if (label_code(label) < stream_.texts.size()) result = stream_.texts[label_code(label)];
  } else if (label >= 0 && label < static_cast<double>(kDirectClasses) && label == std::floor(label)) {
    result = classes_[static_cast<std::size_t>(label)];
  } else if (const auto found = stream_.numbers.find(label); found != stream_.numbers.end()) {
    result = found->second;
  }
  if (result < 0) file_.fail("changed while it was read");
  return result;
}

void RowRing::gather(int shard, std::span<const std::uint32_t> row_numbers, float* features, float* labels,
                     float* weights) {
  const Preprocessing& preprocessing = dataset_.preprocessing();
  const auto width = static_cast<std::size_t>(dataset_.info().features);
  const auto block = static_cast<std::uint32_t>(stream_.block);
  const auto row_stride = static_cast<std::size_t>(dataset_.shards()) * row_bytes_;
  const CacheKind kind = file_.header().kind;
  const std::size_t weight_at = label_at_ + file_.header().label_bytes;
  for (std::size_t i = 0; i < row_numbers.size(); ++i, features += width) {
    const std::uint32_t row = row_numbers[i];
    const char* const record =
        stretch(row / block) + (row % block) * row_stride + static_cast<std::size_t>(shard) * row_bytes_;
    if (kind == CacheKind::kBytes) {
      preprocess(preprocessing, reinterpret_cast<const std::uint8_t*>(record), width, features);
    } else {
      const float* in = reinterpret_cast<const float*>(record);
      if (kind == CacheKind::kFloat16) {
        for (std::size_t j = 0; j < width; ++j) {
          std::uint16_t half = 0;
          std::memcpy(&half, record + 2 * j, sizeof half);
          row_[j] = _cvtsh_ss(half);
        }
        in = row_.data();
      }
      if (preprocessing.scale.empty())
        copy_row(in, width, features);
      else
        preprocess(preprocessing, in, width, features);
    }
    labels[i] = label_of(record + label_at_);
    if (file_.header().has_weights == 0 && stream_.class_weights.empty()) continue;
    float weight = 1;
    if (file_.header().has_weights != 0) std::memcpy(&weight, record + weight_at, sizeof weight);
    if (!stream_.class_weights.empty()) weight *= stream_.class_weights[static_cast<std::size_t>(labels[i])];
    weights[i] = weight;
  }
}

void RowRing::want(std::span<const std::uint32_t> row_numbers) {
  ready_ = end_wanted_;
  for (const std::uint32_t row : row_numbers) {
    const Index number = row / stream_.block;
    if (number == last_wanted_ || slot_of_[static_cast<std::size_t>(number)] >= 0) continue;
    const std::size_t after = end_wanted_ + 1 == wanted_.size() ? 0 : end_wanted_ + 1;
    if (after == first_wanted_) return;  // read when used
    posix_fadvise(file_.descriptor(), static_cast<off_t>(begin_of(number)),
                  static_cast<off_t>(bytes_of(number)), POSIX_FADV_WILLNEED);
    wanted_[end_wanted_] = last_wanted_ = number;
    end_wanted_ = after;
  }
}

void RowRing::read_part() {
  const std::size_t waiting = (ready_ + wanted_.size() - first_wanted_) % wanted_.size();
  for (std::size_t left = (waiting + kParts - 1) / kParts; left > 0; --left) {
    const Index number = wanted_[first_wanted_];
    first_wanted_ = first_wanted_ + 1 == wanted_.size() ? 0 : first_wanted_ + 1;
    if (slot_of_[static_cast<std::size_t>(number)] < 0) read(number);
  }
}

}  // namespace lockstep
