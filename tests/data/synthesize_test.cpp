// SPDX-License-Identifier: Apache-2.0
// Cache files of made-up rows: the same bytes from any number of ranks, and the rows of the source itself.
#include "data/synthesize.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "data/cache_file.h"
#include "data/cache_verify.h"
#include "data/loading.h"
#include "support/thread_communicator.h"

namespace lockstep::testing {
namespace {

std::string bytes_from(int ranks, const std::string& source, CacheKind kind) {
  const TemporaryFolder folder;
  const std::string path = folder.write("demo.rows", "");
  run_ranks(ranks, [&](Communicator& communicator) { synthesize(communicator, source, kind, path); });
  verify_cache(CacheFile(path));
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(Synthesize, WritesTheSameBytesOnAnyNumberOfRanks) {
  for (const char* source : {"demo:logistic?rows=20011&features=5", "demo:linear?rows=999&features=3"})
    for (const CacheKind kind : {CacheKind::kFloat32, CacheKind::kFloat16}) {
      const std::string alone = bytes_from(1, source, kind);
      EXPECT_EQ(bytes_from(2, source, kind), alone) << source;
      EXPECT_EQ(bytes_from(3, source, kind), alone) << source;
    }
}

TEST(Synthesize, WritesTheRowsOfItsSource) {
  const TemporaryFolder folder;
  const std::string path = folder.write("demo.rows", ""), source = "demo:logistic?rows=3001&features=5";
  run_ranks(2,
            [&](Communicator& communicator) { synthesize(communicator, source, CacheKind::kFloat32, path); });
  LoadPlan plan;
  plan.shards = 2;
  plan.hosted = {0, 2};
  EXPECT_EQ(all_rows(load({{"data.train", path}}, plan).train),
            all_rows(load({{"data.train", source}}, plan).train));
}

}  // namespace
}  // namespace lockstep::testing
