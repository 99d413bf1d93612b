// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/feature_hash.h"
#include "lockstep/data/format.h"

namespace lockstep {

/// libffm text (Juan et al., 2016): "label field:index:value field:index:value …", indices in any order.
/// Fields are checked and otherwise left unused. Index base as for LIBSVM.
class LibffmFormat final : public Format {
 public:
  explicit LibffmFormat(const Options& options);
  void read(const std::string& source, RowSink& sink) const override;
  std::unique_ptr<BlockParser> parser(const std::string& source, Index unlabelled_features) const override;
  static bool matches(std::string_view source, std::string_view head);

 private:
  FeatureHash hash_;
  bool skips_bad_rows_;
};

}  // namespace lockstep
