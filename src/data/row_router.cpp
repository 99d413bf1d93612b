// SPDX-License-Identifier: Apache-2.0
#include "data/row_router.h"

#include <array>

namespace lockstep {

void RowRouter::begin(const RowSchema& schema) {
  schema_ = schema;
  train_.begin(schema);
  if (valid_ == nullptr) return;
  schema_.rows = -1;  // how many will be validation rows is not known
  valid_->begin(schema_);
}

void RowRouter::add(const Row& row) {
  if (hashes_) hash_row(row);
  (filter_.is_valid(file_row_++) ? *valid_ : train_).add(row);
}

void RowRouter::hash_row(const Row& row) {
  const std::array<double, 3> head{row.label.number, static_cast<double>(row.weight),
                                   static_cast<double>(row.count)};
  hash_.add(head.data(), sizeof head);
  if (!row.label.is_number) hash_.add(row.label.text.data(), row.label.text.size());
  const auto width = static_cast<std::size_t>(schema_.features), count = static_cast<std::size_t>(row.count);
  if (row.bytes != nullptr) hash_.add(row.bytes, width);
  if (row.dense != nullptr) hash_.add(row.dense, width * sizeof(float));
  if (!schema_.is_sparse || count == 0) return;
  hash_.add(row.columns, count * sizeof *row.columns);
  hash_.add(row.values, count * sizeof *row.values);
}

}  // namespace lockstep
