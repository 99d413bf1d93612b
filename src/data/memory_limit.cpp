// SPDX-License-Identifier: Apache-2.0
#include "data/memory_limit.h"

#include <algorithm>
#include <bit>
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

RowStream StreamPlan::open(Communicator* communicator, std::vector<std::string>& told) const {
  std::string why_not;
  RowStream stream;
  stream.pieces = pieces;
  stream.block_bits = block_bits;
  stream.slots = std::make_shared<PieceSlots>(communicator, *pieces, slots, why_not);
  // Of rows that are permuted as a whole each rank reads others; in windows all read the same pieces. Half of
  // the slots is for what comes next.
  const Index readers = block_bits == 0 ? stream.slots->ranks() : 1;
  stream.held = std::make_shared<HeldPieces>(stream.slots, stream.slots->slots() / (2 * readers));
  told.insert(told.end(), warnings.begin(), warnings.end());
  if (!why_not.empty())
    told.push_back("every rank reads all of " + pieces->file().path() +
                   ": memory cannot be shared: " + why_not);
  return stream;
}

MemoryLimit::MemoryLimit(const Options& options, const LoadPlan& plan)
    : options_(options), plan_(plan), limit_(parse_limit(options)) {
  if (!exists() || plan.communicator == nullptr) return;
  ranks_ = plan.communicator->size();
  const int mine = plan.communicator->node();
  std::vector<int> nodes(static_cast<std::size_t>(ranks_));
  all_gather(*plan.communicator, &mine, sizeof mine, nodes.data());
  machines_ = 0;
  for (auto node = nodes.begin(); node != nodes.end(); node += std::count(node, nodes.end(), *node)) {
    ++machines_;
    ranks_of_machine_ = std::max<Index>(ranks_of_machine_, std::count(node, nodes.end(), *node));
  }
}

void MemoryLimit::fail(const std::string& source, Index bytes, const std::string& why) const {
  throw Error(ExitCode::kData, source + ": " + why + " (" + std::to_string(bytes) + " bytes, " + kKey +
                                   " = \"" + options_.text(kKey) + "\" leaves " + std::to_string(left()) +
                                   ")");
}

bool MemoryLimit::keeps(const CacheFile& file) {
  const CacheHeader& header = file.header();
  const Index all = header.kind == CacheKind::kSparse
                        ? static_cast<Index>(header.entries * 8 + header.rows * 16)
                        : file.rows() * kept_bytes(file, options_);
  if (exists() && all > left()) return false;
  use(all);
  return true;
}

// Of all ranks; each has memory for one more piece in the buffers for training and evaluation, and in that
// for the entries of sparse rows.
Index MemoryLimit::needed(const StreamPlan& plan, const RowPart& part, Index slots) const {
  const RowPieces& pieces = *plan.pieces;
  const Index buffers = pieces.file().header().kind == CacheKind::kSparse ? 3 : 2;
  const auto slot_bytes = static_cast<Index>(pieces.slot_bytes());
  return machines_ * (slots * slot_bytes +
                      PieceSlots::bytes_beside(pieces.count(), slots, static_cast<int>(ranks_of_machine_))) +
         ranks_ * (buffers * slot_bytes + RowPieces::bytes_of(pieces.file(), part, pieces.rows_of_piece()));
}

StreamPlan MemoryLimit::stream(const std::shared_ptr<const CacheFile>& file, const RowPart& part,
                               bool is_training) {
  constexpr Index kFewest = 4;
  DatasetInfo info;
  info.rows = part.rows(*file);
  info.features = static_cast<Index>(file->header().features);
  info.is_sparse = file->header().kind == CacheKind::kSparse;
  const bool shuffles =
      is_training && (options_.table().find("train.shuffle") == nullptr || options_.flag("train.shuffle"));
  const ShuffleRule rule =
      shuffle_rule(shuffles, options_.integer("data.shuffle_window"), info, plan_.shards);
  const bool is_whole = shuffles && rule.window == 0;
  const Index lists = is_whole ? 4 * info.rows : 0;  // of row numbers
  const Index budget = left() / 2;

  StreamPlan plan;
  plan.warnings.push_back(file->path() + ": its rows do not fit into data.memory_limit and are streamed");
  if (part.choice != nullptr)
    plan.warnings.push_back("which of its rows are for validation takes " +
                            std::to_string(RowChoice::bytes_of(file->rows())) + " bytes on every rank");
  if (is_whole)
    plan.warnings.emplace_back(
        "rows are permuted as a whole, so each is read by itself: data.shuffle_window has them read in "
        "stretches");
  const Index block = is_whole         ? 1
                      : rule.block > 0 ? rule.block
                                       : shuffle_rule(true, info.rows, info, plan_.shards).block;
  // Long reads cost less: cut only so far that each rank has two pieces of a window of 16 blocks.
  const auto parts =
      std::max<std::uint64_t>(std::bit_ceil(static_cast<std::uint64_t>(ranks_of_machine_)) / 8, 1);
  const auto most = std::max<std::uint64_t>(std::bit_floor(static_cast<std::uint64_t>(block)) / parts, 1);
  plan.block_bits = std::countr_zero(most) + 1;
  do {
    --plan.block_bits;
    plan.pieces =
        std::make_shared<const RowPieces>(file, part, static_cast<Index>(plan_.shards) << plan.block_bits);
  } while (plan.block_bits > 0 && lists + needed(plan, part, kFewest) > budget);
  const Index least = lists + needed(plan, part, kFewest);
  if (least > budget)
    fail(file->path(), 2 * least, "its rows do not fit into memory, not even when they are streamed");
  // Four windows: a reader holds the pieces of two, the next is read. Or twice the rows of an evaluation.
  const Index piece = Index{1} << plan.block_bits;
  const Index wanted = is_whole ? plan.pieces->count()
                                : std::max(4 * (rule.window / piece + 1), 2 * (Batch::kMaxRows / piece + 8));
  const Index step = needed(plan, part, kFewest + 1024) - needed(plan, part, kFewest);  // of 1,024 slots
  plan.slots = std::min(wanted, kFewest + (budget - least) * 1024 / step);
  while (plan.slots > kFewest && lists + needed(plan, part, plan.slots) > budget)
    --plan.slots;  // of rounding
  use(lists + needed(plan, part, plan.slots));
  return plan;
}

}  // namespace lockstep
