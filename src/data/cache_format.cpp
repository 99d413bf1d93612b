// SPDX-License-Identifier: Apache-2.0
#include "data/cache_format.h"

#include "data/cache_options.h"
#include "data/cache_rows.h"

namespace lockstep {

namespace {

/// The categories of a file in the codes of a sink.
class RecodedCategories {
 public:
  RecodedCategories(const CacheMetadata& metadata, RowSink& sink) : codes_(metadata.categories.size()) {
    for (std::size_t j = 0; j < codes_.size(); ++j) {
      const std::vector<std::string>& texts = metadata.categories[j];
      for (std::size_t code = 0; code < texts.size(); ++code) {
        const auto own = static_cast<std::int32_t>(code);
        codes_[j].push_back(static_cast<float>(sink.category(static_cast<Index>(j), own, texts[code])));
        changes_ |= codes_[j].back() != static_cast<float>(own);
      }
    }
  }

  // Rows of categories are dense.
  void recode(Row& row) {
    if (!changes_) return;
    dense_.assign(row.dense, row.dense + codes_.size());
    for (std::size_t j = 0; j < codes_.size(); ++j)
      if (!codes_[j].empty() && dense_[j] >= 0) dense_[j] = codes_[j].at(static_cast<std::size_t>(dense_[j]));
    row.dense = dense_.data();
  }

 private:
  std::vector<std::vector<float>> codes_;  // by column
  bool changes_ = false;
  std::vector<float> dense_;
};

}  // namespace

bool CacheFormat::matches(std::string_view, std::string_view head) {
  const CacheHeader expected;
  return head.starts_with(std::string_view(expected.magic, sizeof expected.magic));
}

void CacheFormat::read(const std::string& source, RowSink& sink) const {
  const CacheFile file(source);
  check_options(file, options_);
  const CacheMetadata& metadata = file.metadata();
  sink.begin(file.schema());
  if (metadata.bad_count > 0) sink.skip_bad(metadata.bad_count, metadata.bad_lines);
  RecodedCategories categories(metadata, sink);
  CacheRows rows(file);
  Row row;
  while (rows.number() < file.rows()) {
    if (!sink.wants_next()) {
      rows.skip();
      sink.skip();
      continue;
    }
    rows.next(row);
    categories.recode(row);
    sink.add(row);
  }
}

}  // namespace lockstep
