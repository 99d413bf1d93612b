// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/bad_rows.h"
#include "data/cache_file.h"
#include "data/dataset_builder.h"
#include "data/row_filter.h"
#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Where the rows of a cache file go.
struct CacheTargets {
  DatasetBuilder& train;
  DatasetBuilder* valid = nullptr;  ///< may be null if the filter splits nothing
  const RowFilter& filter;
  LabelTable& labels;        ///< of both
  bool has_classes = false;  ///< labels are taken as those of classes
  int shards = 1;
  TreeNode hosted{0, 1};
  BadRows* bad = nullptr;  ///< takes rows whose label is refused; null: the first one is an error
};

/// Collective, if there is a communicator. Every rank reads the rows of its shards, and the sums over all are
/// exchanged: all bits are those of DatasetBuilder::add() of every row in order. Where bad rows are skipped,
/// every rank looks at every label. Without a communicator, and with one rank, all rows are looked at. Throws
/// Error(kData) for the first row that is wrong.
void load_from_cache(const CacheFile& file, Communicator* communicator, const CacheTargets& targets);

}  // namespace lockstep
