// SPDX-License-Identifier: Apache-2.0
#include "train/predictions.h"

#include <algorithm>

#include "comm/agreement.h"
#include "data/row_rounds.h"
#include "train/evaluator.h"

namespace lockstep {

namespace {

std::string predictions_of(TrainedModel& model, const Dataset& rows, const PredictionFormat& format) {
  std::string text;
  Scorer scorer(model, rows);
  for (Index first = 0; first < rows.shard_rows(0); first += Batch::kMaxRows)
    format.append(
        model,
        scorer.score(model.weights.data(), 0, first, std::min(first + Batch::kMaxRows, rows.shard_rows(0))),
        text);
  return text;
}

/// What rank 0 needs to know of a part before it gets it.
struct Part {
  Index rows = 0;
  Index bytes = 0;
};

// Collective. Texts of all ranks to rank 0, which hands them on in order.
Index hand_over(Communicator& communicator, const std::string& text, Index rows,
                const std::function<void(const std::string&)>& write) {
  std::vector<Part> parts(static_cast<std::size_t>(communicator.size()));
  const Part mine{rows, static_cast<Index>(text.size())};
  all_gather(communicator, &mine, sizeof mine, parts.data());
  std::vector<std::string> texts(parts.size());
  std::vector<Receive> receives;
  std::vector<Send> sends;
  Index sum = 0;
  for (std::size_t rank = 0; rank < parts.size(); ++rank) {
    sum += parts[rank].rows;
    if (rank == 0 || communicator.rank() != 0 || parts[rank].bytes == 0) continue;
    texts[rank].resize(static_cast<std::size_t>(parts[rank].bytes));
    receives.push_back({static_cast<int>(rank), texts[rank].data(), texts[rank].size()});
  }
  if (communicator.rank() != 0 && !text.empty()) sends.push_back({0, text.data(), text.size()});
  communicator.exchange(sends, receives);
  on_all_ranks(communicator, [&] {
    if (communicator.rank() != 0) return;
    write(text);
    for (const std::string& part : texts)
      if (!part.empty()) write(part);
  });
  return sum;
}

}  // namespace

Index write_predictions(Communicator& communicator, LoadedModel& loaded, const std::string& source,
                        const Plugins& plugins, const PredictionFormat& format,
                        const std::function<void(const std::string&)>& write, std::size_t piece_bytes) {
  TrainedModel& model = loaded.model;
  on_all_ranks(communicator, [&] {
    if (communicator.rank() == 0) write(format.head(model, 0));
  });
  const Options options = reading_options(loaded, source);
  Index rows = 0;
  for_each_round(communicator,
                 {model.schema, source, options, plugins.formats, model.loss->task(), false, {}, piece_bytes},
                 [&](const Dataset* piece, const BadRows&) {
                   std::string text;
                   on_all_ranks(communicator, [&] {
                     if (piece != nullptr) text = predictions_of(model, *piece, format);
                   });
                   rows += hand_over(communicator, text, piece == nullptr ? 0 : piece->info().rows, write);
                 });
  return rows;
}

}  // namespace lockstep
