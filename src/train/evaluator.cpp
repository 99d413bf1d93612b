// SPDX-License-Identifier: Apache-2.0
#include "train/evaluator.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>

#include "train/gather.h"

namespace lockstep {

namespace {

Index columns_predicted(const TrainedModel& model) {
  return model.loss->task() == Task::kRegression ? 1 : static_cast<Index>(model.schema.classes.size());
}

void add_ranking(const ScoredRows& rows, Ranking& ranking) {
  for (Index row = 0; row < rows.scores.rows; ++row)
    if (rows.weights[row] != 0) ranking.add(ranked_row(rows, row));
}

// Of shards [first, last), in turns of a batch, so that rows are read in about their order in the file.
// `ranking` is of all shards; null: each has its own.
std::vector<MetricSums> sums_of_shards(Scorer& scorer, const float* weights, const Dataset& dataset,
                                       TreeNode shards, const MetricShape& shape, Ranking* ranking) {
  std::vector<MetricSums> sums(static_cast<std::size_t>(shards.last - shards.first), MetricSums(shape));
  for (Index first = 0; first < dataset.shard_rows(shards.first); first += Batch::kMaxRows)
    for (int shard = shards.first; shard < shards.last; ++shard) {
      const Index last = std::min(first + Batch::kMaxRows, dataset.shard_rows(shard));
      if (first >= last) continue;
      const ScoredRows rows = scorer.score(weights, shard, first, last);
      sums[static_cast<std::size_t>(shard - shards.first)].add(rows);
      if (ranking != nullptr) add_ranking(rows, *ranking);
    }
  return sums;
}

// Collective. Of the rows of all ranks, on all of them.
Ranking::Area area_of_all(Communicator& communicator, Ranking& ranking) {
  add_to_first(communicator, ranking.counts());
  Ranking::Area area;
  if (communicator.rank() == 0) area = ranking.area();
  broadcast(communicator, &area, sizeof area);
  return area;
}

}  // namespace

Scorer::Scorer(TrainedModel& model, const Dataset& dataset)
    : model_(model),
      dataset_(dataset),
      buffer_(dataset),
      stride_(model.outputs == 1 ? 1 : round_up_16(model.outputs)),
      row_numbers_(Batch::kMaxRows),
      scores_(static_cast<std::size_t>(Batch::kMaxRows * stride_)),
      score_gradient_(scores_.size()),
      predictions_(static_cast<std::size_t>(Batch::kMaxRows * round_up_16(columns_predicted(model)))),
      row_loss_(Batch::kMaxRows) {}

ScoredRows Scorer::score(const float* weights, int shard, Index first, Index last) {
  const auto count = static_cast<std::size_t>(last - first);
  std::iota(row_numbers_.begin(), row_numbers_.begin() + static_cast<std::ptrdiff_t>(count),
            static_cast<std::uint32_t>(first));
  buffer_.clear(0);
  buffer_.append(shard, std::span(row_numbers_).first(count), first, true);
  const Batch batch = buffer_.batch();
  const Matrix scores{scores_.data(), batch.rows(), model_.outputs, stride_};
  const Matrix gradient{score_gradient_.data(), batch.rows(), model_.outputs, stride_};
  const Index columns = columns_predicted(model_);
  const Matrix predictions{predictions_.data(), batch.rows(), columns,
                           columns == 1 ? 1 : round_up_16(columns)};
  model_.model->forward(weights, batch, Pass::kEvaluate, scores);
  model_.loss->evaluate(scores, batch.labels, batch.weights, row_loss_.data(), gradient);
  model_.loss->predict(scores, static_cast<Index>(model_.schema.classes.size()), predictions);
  return {scores, predictions, batch.labels, batch.weights, row_loss_.data()};
}

MetricShape metric_shape(const TrainedModel& model, int top_k) {
  MetricShape shape;
  shape.task = model.loss->task();
  shape.classes = static_cast<Index>(model.schema.classes.size());
  shape.has_probabilities = model.loss->gives_probabilities();
  shape.top = top_k;
  return shape;
}

void add_rows(TrainedModel& model, const Dataset& rows, MetricSums& sums) {
  Scorer scorer(model, rows);
  for (Index first = 0; first < rows.shard_rows(0); first += Batch::kMaxRows)
    sums.add(
        scorer.score(model.weights.data(), 0, first, std::min(first + Batch::kMaxRows, rows.shard_rows(0))));
}

MetricSums evaluate_sums(Communicator& communicator, TrainedModel& model, const float* weights,
                         const Dataset& dataset, int top_k) {
  MetricShape shape = metric_shape(model, top_k);
  std::optional<Ranking> ranking;  // of many rows
  if (shape.classes == 2 && dataset.info().rows > Ranking::kMostExact) {
    shape.has_auc = false;
    ranking.emplace().count();
  }
  Scorer scorer(model, dataset);
  std::string mine;
  std::vector<std::byte> bytes;
  const bool is_streamed = dataset.stream() != nullptr;  // else shards one by one take less memory
  std::vector<MetricSums> some;
  for (int shard = dataset.hosted().first; shard < dataset.hosted().last; ++shard) {
    if (!is_streamed || some.empty())
      some =
          sums_of_shards(scorer, weights, dataset, {shard, is_streamed ? dataset.hosted().last : shard + 1},
                         shape, ranking ? &*ranking : nullptr);
    bytes.clear();
    some[is_streamed ? static_cast<std::size_t>(shard - dataset.hosted().first) : 0].append_bytes(bytes);
    const std::uint64_t size = bytes.size();
    mine.append(reinterpret_cast<const char*>(&size), sizeof size);
    mine.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  MetricSums total(shape);
  for (const std::string& part : all_gather(communicator, mine))
    for (std::size_t at = 0; at < part.size();) {
      std::uint64_t size = 0;
      std::memcpy(&size, part.data() + at, sizeof size);
      at += sizeof size;
      total.merge_bytes(std::as_bytes(std::span(part.data() + at, size)));
      at += size;
    }
  if (ranking) total.set_area(area_of_all(communicator, *ranking));
  return total;
}

std::vector<std::string> metric_names(const TrainedModel& model, int top_k) {
  std::vector<std::string> names;
  for (const auto& [name, value] : MetricSums(metric_shape(model, top_k)).values()) names.push_back(name);
  return names;
}

ConfusionMatrix confusion_of(const MetricSums& sums) {
  ConfusionMatrix matrix;
  if (!sums.has_confusion()) return matrix;
  for (Index label = 0; label < sums.classes(); ++label) {
    matrix.emplace_back();
    for (Index decision = 0; decision < sums.classes(); ++decision)
      matrix.back().push_back(sums.confusion(label, decision));
  }
  return matrix;
}

}  // namespace lockstep
