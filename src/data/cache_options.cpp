// SPDX-License-Identifier: Apache-2.0
#include "data/cache_options.h"

#include <algorithm>
#include <cmath>

#include "data/cache_rows.h"
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

MissingValue find_missing(const CacheFile& file) {
  const CacheKind kind = file.header().kind;
  if (kind != CacheKind::kFloat32 && kind != CacheKind::kFloat16) return {};
  CacheRows rows(file);
  Row row;
  while (rows.number() < file.rows()) {
    rows.next(row);
    for (std::uint64_t j = 0; j < file.header().features; ++j)
      if (std::isnan(row.dense[j])) return {rows.number() - 1, static_cast<Index>(j)};
  }
  return {};
}

// "rows.csv:7", where the file knows.
std::string place_in_source(const CacheMetadata& metadata, Index row) {
  const auto after = std::upper_bound(metadata.lines.begin(), metadata.lines.end(), row,
                                      [](Index number, const LineRun& run) { return number < run.row; });
  if (after == metadata.lines.begin() || metadata.files.empty()) return "";
  const LineRun& run = *(after - 1);
  return " (" + metadata.files[static_cast<std::size_t>(run.file)] + ":" +
         std::to_string(run.line + row - run.row) + ")";
}

void check_missing(const CacheFile& file, const Options& options) {
  if (options.text("data.missing") != "refuse") return;
  const CacheMetadata& metadata = file.metadata();
  const MissingValue missing = metadata.missing ? *metadata.missing : find_missing(file);
  if (missing.row < 0) return;
  std::string feature = "feature " + std::to_string(missing.feature + 1);
  if (!metadata.feature_names.empty())
    feature += " (" + metadata.feature_names[static_cast<std::size_t>(missing.feature)] + ")";
  throw Error(ExitCode::kData, file.path() + ": " + feature + " of row " + std::to_string(missing.row + 1) +
                                   place_in_source(metadata, missing.row) +
                                   " is missing; a model is trained for that with data.missing = \"mean\", "
                                   "\"zero\" or \"indicator\"");
}

}  // namespace

void check_options(const CacheFile& file, const Options& options) {
  check_hashing(file, options);
  check_missing(file, options);
}

}  // namespace lockstep
