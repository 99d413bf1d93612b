// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/philox.h"
#include "data/demo_options.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// Makes the rows of one demo set.
class DemoRows {
 public:
  explicit DemoRows(DemoOptions options) : options_(std::move(options)) {}
  virtual ~DemoRows() = default;

  virtual RowSchema schema() const = 0;
  /// Fills in features and label of row `number` of the endless set. They are valid until the next call.
  virtual void make(std::uint64_t number, Row& row) = 0;

 protected:
  // Counters of what is not a feature; features count from 0.
  static constexpr std::uint64_t kLabelCounter = std::uint64_t{1} << 50;
  static constexpr std::uint64_t kNoiseCounter = kLabelCounter + 1;

  Philox random_of(std::uint64_t number) const {
    return {options_.seed, Purpose::kDemo, static_cast<std::uint32_t>(number),
            static_cast<std::uint32_t>(number >> 32)};
  }
  /// Of what all parts have in common: no row has this number.
  Philox random_of_truth() const {
    constexpr std::uint32_t kTruth = 0xFFFFFFFFU;
    return {options_.seed, Purpose::kDemo, kTruth, kTruth};
  }
  /// `label`, or with probability `noise` one of the other classes.
  double with_noise(const Philox& random, Index label, Index classes) const;
  /// `value` plus normal noise of standard deviation `noise`.
  double with_normal_noise(const Philox& random, float value) const;
  RowSchema class_schema(Index classes) const;

  DemoOptions options_;
};

/// Throws Error(kData) for an unknown name.
std::unique_ptr<DemoRows> make_demo_rows(const std::string& source);

}  // namespace lockstep
