// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lockstep/core/view.h"

namespace lockstep {

/// The data sets of an HDF5 file that hold its rows: features, and maybe labels.
class Hdf5Table {
 public:
  struct Shape {
    std::string features, labels;  ///< names of the data sets; no name: there is none of labels
    Index rows = 0, cols = 0;      ///< of the features, dimensions behind the first flattened
    bool is_bytes = false;         ///< features are unsigned bytes
    bool is_whole = false;         ///< the file holds as many bytes as the features take
    Index chunk_rows = 1;          ///< features are stored so many rows at a time
  };

  virtual ~Hdf5Table() = default;

  virtual const Shape& shape() const = 0;
  /// Features of `count` rows from `first` on: count × cols. Throws Error(kData), as the next two do.
  virtual void read_floats(Index first, Index count, float* out) const = 0;
  virtual void read_bytes(Index first, Index count, std::uint8_t* out) const = 0;
  /// One column of the features; −1: the labels.
  virtual void read_column(Index column, Index first, Index count, double* out) const = 0;
};

/// Features are the data set x (or X, features, data, images), else the first of two or more dimensions;
/// labels, where they are wanted, y (Y, labels, label, target), else the first of one dimension with a number
/// for every row. All are looked for in the root group, by name. Throws Error(kData) for what is no such
/// file, and for every file where the build has no HDF5 (hdf5_missing.cpp).
std::unique_ptr<Hdf5Table> open_hdf5(const std::string& path, bool wants_labels);

}  // namespace lockstep
