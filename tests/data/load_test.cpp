// SPDX-License-Identifier: Apache-2.0
#include "data/load.h"

#include <gtest/gtest.h>

#include "data/registry.h"

namespace lockstep {
namespace {

Options make_options(const std::string& train) {
  OptionTable table;
  declare_data_options(table);
  Options options(table);
  options.set("data.train", train, "test");
  return options;
}

TEST(Load, ShardsOfADemoAreItsRows) {
  const Options options = make_options("demo:blobs?rows=101&features=3");
  const DataSets whole = load_datasets(options, format_registry(), {Task::kClassification, 1, {0, 1}});
  const DataSets parts = load_datasets(options, format_registry(), {Task::kClassification, 7, {2, 5}});
  const ShardRows& all = whole.train.rows_of(0);
  for (int shard = 2; shard < 5; ++shard) {
    const ShardRows& rows = parts.train.rows_of(shard);
    for (Index i = 0; i < rows.rows(); ++i) {
      const Index row = i * 7 + shard;
      EXPECT_EQ(rows.labels[i], all.labels[row]);
      for (Index j = 0; j < 3; ++j) EXPECT_EQ(rows.dense[i * 3 + j], all.dense[row * 3 + j]);
    }
  }
}

}  // namespace
}  // namespace lockstep
