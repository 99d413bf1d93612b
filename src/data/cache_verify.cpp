// SPDX-License-Identifier: Apache-2.0
#include "data/cache_verify.h"

#include "data/cache_rows.h"
#include "data/row_hash.h"

namespace lockstep {

void verify_cache(const CacheFile& file) {
  CacheBytes bytes(file, kCachePage, file.header().checksums_at);  // gaps between sections too
  bytes.skip(file.header().checksums_at - kCachePage);
  const RowSchema schema = file.schema();
  CacheRows rows(file);
  RowHash hash;
  Row row;
  while (rows.number() < file.rows()) {
    const Index number = rows.number();
    rows.next(row);
    hash.add(schema, number, row);
  }
  if (hash.hex() != file.metadata().content_hash) file.fail("its rows do not have the hash it tells of them");
}

}  // namespace lockstep
