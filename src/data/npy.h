// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/array_settings.h"
#include "lockstep/data/format.h"

namespace lockstep {

/// NumPy arrays, versions 1 to 3, in C order, little-endian. Rows are the first dimension, the others are
/// flattened. Labels stand in a second array of one dimension (data.labels, or found from the name: "X_a.npy"
/// → "y_a.npy", "a-images.npy" → "a-labels.npy", "features" → "labels"), else in column data.label (default:
/// the last). Bytes with separate labels stay bytes.
class NpyFormat final : public Format {
 public:
  explicit NpyFormat(const Options& options) : settings_(options) {}
  void read(const std::string& source, RowSink& sink) const override;
  static bool matches(std::string_view source, std::string_view head);

 private:
  ArraySettings settings_;
};

}  // namespace lockstep
