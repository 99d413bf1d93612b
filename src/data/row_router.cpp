// SPDX-License-Identifier: Apache-2.0
#include "data/row_router.h"

#include "lockstep/core/error.h"

namespace lockstep {

bool is_good(const DatasetBuilder& target, const Row& row, BadRows& bad) {
  try {
    target.check(row);
    return true;
  } catch (const Error& error) {
    bad.add(error.what());
    return false;
  }
}

void RowRouter::begin(const RowSchema& schema) {
  schema_ = schema;
  train_.begin(schema);
  if (valid_ == nullptr) return;
  schema_.rows = -1;  // how many will be validation rows is not known
  valid_->begin(schema_);
}

void RowRouter::add(const Row& row) {
  if (hashes_) hash_.add(schema_, file_row_, row);
  DatasetBuilder& target = filter_.is_valid(file_row_++) ? *valid_ : train_;
  if (bad_ == nullptr || is_good(target, row, *bad_)) target.add(row);
}

}  // namespace lockstep
