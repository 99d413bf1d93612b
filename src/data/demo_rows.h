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
  Philox random_of(std::uint64_t number) const {
    return {options_.seed, Purpose::kDemo, static_cast<std::uint32_t>(number),
            static_cast<std::uint32_t>(number >> 32)};
  }
  /// `label`, or with probability `noise` one of the other classes.
  double with_noise(const Philox& random, Index label, Index classes) const;
  RowSchema class_schema(Index classes) const;

  DemoOptions options_;
};

/// Throws Error(kData) for an unknown name.
std::unique_ptr<DemoRows> make_demo_rows(const std::string& source);

}  // namespace lockstep
