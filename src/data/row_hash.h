// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "lockstep/data/row_sink.h"

namespace lockstep {

/// Hash of numbered rows that is the same in whatever order and by however many ranks they are added: the
/// sum, modulo 2^128 in two halves, of a hash of each row and its number.
class RowHash {
 public:
  void add(const RowSchema& schema, Index number, const Row& row);
  void add(const RowHash& other);
  /// 32 hexadecimal digits.
  std::string hex() const;

 private:
  std::uint64_t low_ = 0, high_ = 0;
};

}  // namespace lockstep
