// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace lockstep {

/// The pieces of one source, the same for whoever reads them.
class PieceSource {
 public:
  virtual ~PieceSource() = default;
  /// Steps to the next piece; false at the end. `text` is valid until the next call, and need not be set
  /// where it is not wanted.
  virtual bool next(bool is_wanted, std::string_view& text) = 0;
};

}  // namespace lockstep
