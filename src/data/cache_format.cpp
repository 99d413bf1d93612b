// SPDX-License-Identifier: Apache-2.0
#include "data/cache_format.h"

#include "data/cache_rows.h"

namespace lockstep {

bool CacheFormat::matches(std::string_view, std::string_view head) {
  const CacheHeader expected;
  return head.starts_with(std::string_view(expected.magic, sizeof expected.magic));
}

void CacheFormat::read(const std::string& source, RowSink& sink) const {
  const CacheFile file(source);
  sink.begin(file.schema());
  CacheRows rows(file);
  Row row;
  while (rows.number() < file.rows()) {
    if (!sink.wants_next()) {
      rows.skip();
      sink.skip();
      continue;
    }
    rows.next(row);
    sink.add(row);
  }
}

}  // namespace lockstep
