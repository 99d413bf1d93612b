// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/data/format.h"

namespace lockstep {

/// Cache files as sources. load_datasets() recognises them before any format is asked, and has every rank
/// read the rows of its shards alone; this is for whoever wants all rows.
class CacheFormat final : public Format {
 public:
  explicit CacheFormat(const Options& options) : options_(options) {}
  void read(const std::string& source, RowSink& sink) const override;
  static bool matches(std::string_view source, std::string_view head);

 private:
  const Options options_;
};

}  // namespace lockstep
