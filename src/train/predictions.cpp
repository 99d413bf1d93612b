// SPDX-License-Identifier: Apache-2.0
#include "train/predictions.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "model/class_scores.h"
#include "train/evaluator.h"

namespace lockstep {

namespace {

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string header_of(const TrainedModel& model) {
  if (model.loss->task() == Task::kRegression) return "prediction\n";
  std::string text = "class,score";
  if (model.loss->gives_probabilities())
    for (const std::string& name : model.schema.classes) text += "," + csv_field("p:" + name);
  return text + "\n";
}

std::string lines_of(const TrainedModel& model, const ScoredRows& rows) {
  std::string text;
  const auto out = std::back_inserter(text);
  for (Index i = 0; i < rows.scores.rows; ++i) {
    const float* predictions = rows.predictions.row(i);
    if (model.loss->task() == Task::kRegression) {
      fmt::format_to(out, "{}\n", predictions[0]);
      continue;
    }
    const float* scores = rows.scores.row(i);
    const Index decided = decided_class(scores, rows.scores.cols);
    fmt::format_to(out, "{},{}", csv_field(model.schema.classes[static_cast<std::size_t>(decided)]),
                   scores[rows.scores.cols == 1 ? 0 : decided]);
    if (model.loss->gives_probabilities())
      for (Index k = 0; k < rows.predictions.cols; ++k) fmt::format_to(out, ",{}", predictions[k]);
    text += '\n';
  }
  return text;
}

// Row i of the file is row i div S of shard i mod S. Class names may hold line breaks, but only in quotes.
std::size_t line_end(const std::string& text, std::size_t first) {
  bool is_quoted = false;
  for (std::size_t i = first; i < text.size(); ++i) {
    if (text[i] == '"') is_quoted = !is_quoted;
    if (text[i] == '\n' && !is_quoted) return i + 1;
  }
  return text.size();
}

std::string interleave(const std::vector<std::string>& shards) {
  std::vector<std::size_t> position(shards.size(), 0);
  std::string text;
  for (bool found = true; found;) {
    found = false;
    for (std::size_t shard = 0; shard < shards.size(); ++shard) {
      const std::size_t first = position[shard];
      if (first == shards[shard].size()) continue;
      position[shard] = line_end(shards[shard], first);
      text.append(shards[shard], first, position[shard] - first);
      found = true;
    }
  }
  return text;
}

// Collective. The texts of all shards from those that host them.
std::vector<std::string> gather(Communicator& communicator, const Dataset& rows,
                                const std::vector<std::string>& shards) {
  std::string mine;
  for (int shard = rows.hosted().first; shard < rows.hosted().last; ++shard) {
    const std::string& text = shards[static_cast<std::size_t>(shard)];
    mine += fmt::format("{} {}", text.size(), text);
  }
  std::vector<std::string> all;
  for (const std::string& part : all_gather(communicator, mine))
    for (std::size_t at = 0; at < part.size();) {
      std::size_t digits = 0;
      const std::size_t size = std::stoull(part.substr(at, 20), &digits);
      all.push_back(part.substr(at + digits + 1, size));
      at += digits + 1 + size;
    }
  return all;
}

}  // namespace

void write_predictions(Communicator& communicator, TrainedModel& model, const Dataset& rows,
                       const std::function<void(const std::string&)>& write) {
  Scorer scorer(model, rows);
  const bool writes = communicator.rank() == 0;
  if (writes) write(header_of(model));
  // In parts, so that the text all ranks hold does not grow with the data.
  constexpr Index kPartRows = 16384;
  const Index part = std::clamp<Index>(kPartRows / rows.shards(), 1, Batch::kMaxRows);
  for (Index first = 0; first < rows.shard_rows(0); first += part) {
    std::vector<std::string> shards(static_cast<std::size_t>(rows.shards()));
    for (int shard = rows.hosted().first; shard < rows.hosted().last; ++shard) {
      const Index last = std::min(first + part, rows.shard_rows(shard));
      if (first < last)
        shards[static_cast<std::size_t>(shard)] =
            lines_of(model, scorer.score(model.weights.data(), shard, first, last));
    }
    const auto all = gather(communicator, rows, shards);
    if (writes) write(interleave(all));
  }
}

}  // namespace lockstep
