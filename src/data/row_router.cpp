// SPDX-License-Identifier: Apache-2.0
#include "data/row_router.h"

namespace lockstep {

void RowRouter::begin(const RowSchema& schema) {
  schema_ = schema;
  train_.begin(schema);
  if (valid_ == nullptr) return;
  schema_.rows = -1;  // how many will be validation rows is not known
  valid_->begin(schema_);
}

void RowRouter::add(const Row& row) {
  if (hashes_) hash_.add(schema_, file_row_, row);
  (filter_.is_valid(file_row_++) ? *valid_ : train_).add(row);
}

}  // namespace lockstep
