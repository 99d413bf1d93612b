// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/data/format.h"

namespace lockstep {

/// IDX (LeCun, Cortes and Burges, 1998): big-endian magic 0 0 type rank, one 32-bit size per dimension, then
/// values. The first dimension counts rows, the others are flattened to D columns. Labels are a second file
/// of rank 1, data.labels or found from the name: "train-images-idx3-ubyte" → "train-labels-idx1-ubyte".
class IdxFormat final : public Format {
 public:
  explicit IdxFormat(const Options& options);
  void read(const std::string& source, RowSink& sink) const override;
  static bool matches(std::string_view source, std::string_view head);

 private:
  std::string labels_;
  bool skips_bad_rows_;
};

}  // namespace lockstep
