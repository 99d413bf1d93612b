// SPDX-License-Identifier: Apache-2.0
#include "data/memory_limit.h"

#include <algorithm>
#include <cmath>

#include "data/numbers.h"
#include "data/sampler.h"
#include "lockstep/core/error.h"
#include "lockstep/data/batch.h"

namespace lockstep {

namespace {

constexpr const char* kKey = "data.memory_limit";

Index parse_limit(const Options& options) {
  if (options.table().find(kKey) == nullptr || options.text(kKey).empty()) return -1;
  std::string text = options.text(kKey);
  double factor = 1, number = 0;
  const std::pair<const char*, double> units[] = {
      {"GiB", 1073741824.0}, {"MiB", 1048576.0}, {"KiB", 1024.0}, {"GB", 1e9},
      {"MB", 1e6},           {"KB", 1e3},        {"B", 1}};
  for (const auto& [unit, bytes] : units) {
    if (!text.ends_with(unit)) continue;
    factor = bytes;
    text.resize(text.size() - std::string_view(unit).size());
    break;
  }
  while (text.ends_with(' ')) text.pop_back();
  if (!read_whole(text, number) || !(number > 0) || !(number * factor < 1e18))
    throw Error(ExitCode::kConfig, options.origin(kKey) + ": " + kKey + " = \"" + options.text(kKey) +
                                       "\": a size was expected, as in \"1GB\" or \"500MB\"");
  return static_cast<Index>(number * factor);
}

// Bytes of a row in memory.
Index kept_bytes(const CacheFile& file, const Options& options) {
  const CacheHeader& header = file.header();
  const bool has_weights = header.has_weights != 0 || options.text("data.class_weights") != "none";
  return static_cast<Index>(header.features) * (header.kind == CacheKind::kBytes ? 1 : 4) +
         (has_weights ? 8 : 4);
}

}  // namespace

MemoryLimit::MemoryLimit(const Options& options, const LoadPlan& plan)
    : options_(options),
      plan_(plan),
      ranks_(plan.communicator == nullptr ? 1 : plan.communicator->size()),
      limit_(parse_limit(options)) {}

void MemoryLimit::fail(const std::string& source, Index bytes, const std::string& why) const {
  throw Error(ExitCode::kData, source + ": " + why + " (" + std::to_string(bytes) + " bytes, " + kKey +
                                   " = \"" + options_.text(kKey) + "\" leaves " + std::to_string(left()) +
                                   ")");
}

std::optional<RowStream> MemoryLimit::stream(std::shared_ptr<const CacheFile> file, bool is_training,
                                             bool is_split) {
  const CacheHeader& header = file->header();
  const bool is_sparse = header.kind == CacheKind::kSparse;
  const Index all = is_sparse ? static_cast<Index>(header.entries * 8 + header.rows * 16)
                              : file->rows() * kept_bytes(*file, options_);
  if (!exists() || all <= left()) {
    use(all);
    return std::nullopt;
  }
  const std::string& name = file->path();
  if (is_sparse) fail(name, all, "its rows do not fit into memory, and sparse rows cannot be streamed");
  if (is_split)
    fail(name, all,
         "its rows do not fit into memory, and rows that are split or folded cannot be streamed; name a file "
         "of its own in data.valid");
  RowStream stream;
  DatasetInfo info;
  info.rows = file->rows();
  info.features = static_cast<Index>(header.features);
  const bool shuffles =
      is_training && (options_.table().find("train.shuffle") == nullptr || options_.flag("train.shuffle"));
  const ShuffleRule rule =
      shuffle_rule(shuffles, options_.integer("data.shuffle_window"), info, plan_.shards);
  if (shuffles && rule.window == 0)
    stream.block = 1;
  else
    stream.block = rule.block > 0 ? rule.block : stretch_rows(info.features, plan_.shards);
  const Index share = left() / 4 / ranks_;  // training and evaluation have a ring each, of half the limit
  const auto bytes_of = [&] { return static_cast<Index>(stretch_bytes(*file, plan_.shards, stream.block)); };
  while (stream.block > 1 && share < 4 * bytes_of()) stream.block /= 2;
  const Index bytes = bytes_of();
  // Three windows, the last, this and the next; or the rows of an evaluation, and the first of the next.
  const Index wanted = std::max(3 * (rule.window / stream.block + 1), Batch::kMaxRows / stream.block + 8);
  stream.slots = std::min(wanted, share / bytes);
  if (stream.slots < 2)
    fail(name, 8 * ranks_ * bytes, "its rows do not fit into memory, not even when they are streamed");
  use(2 * ranks_ * bytes * stream.slots);
  stream.file = std::move(file);
  return stream;
}

}  // namespace lockstep
