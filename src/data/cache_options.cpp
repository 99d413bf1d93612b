// SPDX-License-Identifier: Apache-2.0
#include "data/cache_options.h"

#include "data/feature_hash.h"
#include "data/hashed_features.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

void check_hashing(const CacheFile& file, const Options& options) {
  const HashedFeatures& has = file.metadata().hashed;
  const HashedFeatures asked = FeatureHash(options).features();
  if (asked.bits == 0) return;
  const bool fits = has.bits < 0 ? file.schema().features == Index{1} << asked.bits
                                 : has.bits == asked.bits && has.seed == asked.seed;
  if (fits) return;
  const std::string found = has.bits > 0
                                ? "the features of this cache file are hashed with " + hash_options(has)
                            : has.bits < 0 ? "this cache file has another number of features"
                                           : "the features of this cache file are not hashed";
  throw Error(ExitCode::kConfig, file.path() + ": " + found + ", but " + hash_options(asked) + " (" +
                                     options.origin("data.hash_bits") +
                                     ") are asked for; make it anew from its source with these options");
}

}  // namespace

void check_options(const CacheFile& file, const Options& options) {
  check_hashing(file, options);
}

}  // namespace lockstep
