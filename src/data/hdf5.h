// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/array_settings.h"
#include "lockstep/data/format.h"

namespace lockstep {

/// HDF5 files with a data set of features, x, and one of labels, y (hdf5_table.h says which those are); where
/// there are no labels they stand in column data.label (default: the last). Read in pieces of rows, which
/// ranks take in turn like those of text. Builds without LOCKSTEP_HDF5 know these files and refuse them.
class Hdf5Format final : public Format {
 public:
  explicit Hdf5Format(const Options& options) : settings_(options) {}
  void read(const std::string& source, RowSink& sink) const override;
  std::unique_ptr<BlockParser> parser(const std::string& source, Index unlabelled_features) const override;
  static bool matches(std::string_view source, std::string_view head);

 private:
  ArraySettings settings_;
};

}  // namespace lockstep
