// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "data/byte_source.h"
#include "lockstep/core/view.h"

namespace lockstep {

/// What an NPY file says before its values.
struct NpyHeader {
  char kind = 'f';       ///< f, i, u or b
  std::size_t size = 4;  ///< bytes of a value
  std::vector<Index> shape;

  Index rows() const { return shape.empty() ? 1 : shape[0]; }
  Index cols() const;
  double value(const unsigned char* bytes) const;
};

/// Throws Error(kData) for what is not a readable NPY file, and for sizes the file cannot hold.
NpyHeader read_npy_header(ByteSource& source);

}  // namespace lockstep
