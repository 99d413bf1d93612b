// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/data/format.h"

namespace lockstep {

/// Rows that need no file, a pure function of (seed, row number): "demo:logistic?rows=5000000&features=28".
class DemoFormat final : public Format {
 public:
  explicit DemoFormat(const Options&) {}
  void read(const std::string& source, RowSink& sink) const override;
  static bool matches(std::string_view source, std::string_view head);
};

}  // namespace lockstep
