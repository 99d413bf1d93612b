// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/feature_hash.h"
#include "lockstep/data/format.h"

namespace lockstep {

/// LIBSVM text (Chang and Lin, 2011): "label index:value index:value … # comment", indices ascending. Whether
/// they count from 0 or from 1 is settled for the whole training file (data.index_base). Where the first row
/// has it, or data.label_weights says so, a label may be "label:weight". With data.hash_bits indices may have
/// 63 bits and are hashed. libffm text (Juan et al., 2016) has fields besides, "label field:index:value …",
/// and indices in any order; fields are checked and otherwise left unused.
class LibsvmFormat final : public Format {
 public:
  LibsvmFormat(const Options& options, bool has_fields);
  void read(const std::string& source, RowSink& sink) const override;
  std::unique_ptr<BlockParser> parser(const std::string& source, Index unlabelled_features) const override;
  static bool matches(std::string_view source, std::string_view head);
  static bool matches_fields(std::string_view source, std::string_view head);

 private:
  FeatureHash hash_;
  std::string label_weights_;
  bool skips_bad_rows_, has_fields_;
};

}  // namespace lockstep
