// SPDX-License-Identifier: Apache-2.0
#include "train/evaluate_source.h"

#include <algorithm>
#include <cstring>

#include "comm/agreement.h"
#include "data/row_rounds.h"
#include "lockstep/core/error.h"
#include "train/evaluator.h"

namespace lockstep {

namespace {

/// What a rank tells of its piece before the names of skipped rows, an end of line behind each, and the sums.
struct PieceHead {
  Index rows = 0, skipped = 0;
  std::uint64_t name_bytes = 0;
};

std::string tell(const Dataset* rows, const BadRows& skipped, const MetricSums& sums) {
  std::string names;
  for (const std::string& name : skipped.named()) names += name + "\n";
  const PieceHead head{rows == nullptr ? 0 : rows->info().rows, skipped.count(), names.size()};
  std::vector<std::byte> bytes;
  sums.append_bytes(bytes);
  std::string text(reinterpret_cast<const char*>(&head), sizeof head);
  text += names;
  return text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void take_up(const std::string& text, SourceMetrics& metrics) {
  PieceHead head;
  std::memcpy(&head, text.data(), sizeof head);
  metrics.rows += head.rows;
  Index named = 0;
  for (std::size_t at = sizeof head; at < sizeof head + head.name_bytes; ++named) {
    const std::size_t end = text.find('\n', at);
    metrics.skipped.add(text.substr(at, end - at));
    at = end + 1;
  }
  metrics.skipped.add_unnamed(head.skipped - named);
  metrics.sums.merge_bytes(std::as_bytes(std::span(text).subspan(sizeof head + head.name_bytes)));
}

}  // namespace

SourceMetrics evaluate_source(Communicator& communicator, LoadedModel& loaded, const std::string& source,
                              const Plugins& plugins, std::size_t piece_bytes) {
  TrainedModel& model = loaded.model;
  const auto top_k = static_cast<int>(loaded.options.integer("eval.top_k"));
  const MetricShape shape = metric_shape(model, top_k);
  const Options options = reading_options(loaded, source);
  SourceMetrics metrics{0, {}, MetricSums(shape)};
  const auto use = [&](const Dataset* rows, const BadRows& skipped) {
    std::string mine;
    on_all_ranks(communicator, [&] {
      MetricSums sums(shape);
      if (rows != nullptr) add_rows(model, *rows, sums);
      mine = tell(rows, skipped, sums);
    });
    for (const std::string& text : all_gather(communicator, mine)) take_up(text, metrics);
  };
  for_each_round(communicator,
                 {model.schema, source, options, plugins.formats, model.loss->task(), true,
                  [&](float label) { model.loss->check_label(label); }, piece_bytes},
                 use);
  if (metrics.rows == 0) throw Error(ExitCode::kData, source + ": has no rows");
  return metrics;
}

}  // namespace lockstep
