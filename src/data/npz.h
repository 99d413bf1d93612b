// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/array_settings.h"
#include "lockstep/data/format.h"

namespace lockstep {

/// Archives of NumPy arrays (numpy.savez, savez_compressed). Features are the array x (or X, features, data,
/// images), labels y (Y, labels, label, target); where none is called so, the first array and the second. An
/// archive of one array is read like an NPY file.
class NpzFormat final : public Format {
 public:
  explicit NpzFormat(const Options& options) : settings_(options) {}
  void read(const std::string& source, RowSink& sink) const override;
  static bool matches(std::string_view source, std::string_view head);

 private:
  ArraySettings settings_;
};

}  // namespace lockstep
