// SPDX-License-Identifier: Apache-2.0
#include "train/gradient_step.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/clock.h"
#include "core/sums.h"
#include "train/leaf_hash.h"
#include "train/leaf_squares.h"

namespace lockstep {

namespace {

std::vector<float*> buffers_of(GradientReducer& reducer) {
  const auto buffers = reducer.buffers();
  return {buffers.begin(), buffers.end()};
}

}  // namespace

GradientStep::GradientStep(const Dataset& dataset, Sampler& sampler, const GradientTarget& target,
                           const Loss& loss, Index outputs)
    : dataset_(dataset),
      sampler_(sampler),
      model_(target.model),
      compact_(target.compact),
      loss_(loss),
      outputs_(outputs),
      stride_(outputs == 1 ? 1 : round_up_16(outputs)),
      rows_at_once_(target.model.rows_at_once()),
      buffer_(dataset, {target.compact == nullptr, rows_at_once_ < Batch::kMaxRows}),
      ledger_(dataset),
      sums_(target.layout, buffers_of(target.reducer)),
      tails_(static_cast<std::size_t>(GradientSum::buffers_needed(dataset.hosted())) + 1),
      has_rows_(static_cast<std::size_t>(dataset.shards())),
      scores_(static_cast<std::size_t>(Batch::kMaxRows * stride_)),
      score_gradient_(static_cast<std::size_t>(Batch::kMaxRows * stride_)),
      row_loss_(Batch::kMaxRows),
      row_weight_(Batch::kMaxRows),
      row_right_(Batch::kMaxRows),
      reducer_(target.reducer),
      layout_(target.layout) {
  if (reducer_.wants_tensors())
    sums_.tell([](void* listener, int tensor) { static_cast<GradientReducer*>(listener)->ready(tensor); },
               &reducer_);
}

void GradientStep::run(const float* weights, const BatchWindow& window) {
  mark_ = now_ticks();
  if (trace_ != nullptr) traced_until_s_ = now_seconds();
  weights_ = weights;
  sampler_.begin_epoch(window.epoch);
  sums_.begin_step(dataset_.hosted());
  tail_depth_ = 0;
  buffer_.clear(window.epoch);
  const Sampler::Window places(dataset_.shards(), window.first, window.last);
  for (int shard = 0; shard < dataset_.shards(); ++shard)
    has_rows_[static_cast<std::size_t>(shard)] = static_cast<char>(places.of(shard).count() > 0);
  reducer_.begin(has_rows_);
  for (int shard = dataset_.hosted().first; shard < dataset_.hosted().last; ++shard)
    if (has_rows_[static_cast<std::size_t>(shard)] != 0) append(shard, places.of(shard));
  process(true);
  nodes_ = sums_.finish_step();
  add_tails(sums_.closing_additions());
}

void GradientStep::measure_shards(bool measures) {
  measures_ = measures;
  sums_.hold_leaves(holds_leaves());
}

void GradientStep::watch_shard(int shard) {
  watched_ = shard >= dataset_.hosted().first && shard < dataset_.hosted().last ? shard : -1;
  sums_.hold_leaves(holds_leaves());
}

void GradientStep::start_from(std::uint64_t epoch, Index position) {
  ledger_.clear();
  mark_used({epoch, 0, position});
}

void GradientStep::mark_used(const BatchWindow& window) {
  sampler_.begin_epoch(window.epoch);
  const Sampler::Window places(dataset_.shards(), window.first, window.last);
  for (int shard = dataset_.hosted().first; shard < dataset_.hosted().last; ++shard)
    ledger_.use(shard, sampler_.rows(shard, places.of(shard)));
}

// Whole shards share a batch; a shard of more than 1,024 rows comes in tiles of 1,024.
void GradientStep::append(int shard, Sampler::Places places) {
  const Index held = Batch::kMaxRows - buffer_.free_rows();
  if (held > 0 && held + places.count() > rows_at_once_) process();
  for (Index first = places.first; first < places.last; first += Batch::kMaxRows) {
    const Sampler::Places tile{first, std::min(first + Batch::kMaxRows, places.last)};
    if (first > places.first) process();
    const auto rows = sampler_.rows(shard, tile);
    ledger_.use(shard, rows);
    buffer_.append(shard, rows, first, tile.last == places.last);
  }
  const Sampler::Upcoming next = sampler_.upcoming(shard, places);
  buffer_.prefetch(shard, next.first, next.rows);
  if (holds_leaves()) process();
}

void GradientStep::process(bool is_last) {
  const Batch batch = next_batch();
  if (batch.rows() == 0) return;
  record_->move();
  const std::uint64_t gathered = now_ticks();
  const double gathered_s = trace_ == nullptr ? 0 : now_seconds();
  data_ticks_ += gathered - mark_;
  const Matrix scores{scores_.data(), batch.rows(), outputs_, stride_};
  const Matrix gradient{score_gradient_.data(), batch.rows(), outputs_, stride_};
  buffer_.prefetch_part();
  model_.forward(weights_, batch, Pass::kTrain, scores);
  buffer_.prefetch_part();
  loss_.evaluate(scores, batch.labels, batch.weights, row_loss_.data(), gradient);
  buffer_.prefetch_part();
  sums_.begin_batch(batch.segments, is_last);
  model_.backward(weights_, batch, gradient, sums_);
  buffer_.prefetch_part();
  sum_tails(batch);
  if (holds_leaves()) add_leaf(batch.segments.back().shard);
  buffer_.prefetch_part();
  buffer_.clear(batch.epoch);
  mark_ = now_ticks();
  compute_ticks_ += mark_ - gathered;
  if (trace_ == nullptr) return;
  const double start_s = std::exchange(traced_until_s_, now_seconds());
  trace_->add({traced_step_, TracePhase::kData, start_s, gathered_s});
  trace_->add({traced_step_, TracePhase::kCompute, gathered_s, traced_until_s_});
}

Batch GradientStep::next_batch() {
  return compact_ == nullptr ? buffer_.batch() : compact_->compact(buffer_.batch());
}

// What the tails sum, by row: the weighted loss in the place of the loss, and the weight of rows decided
// right.
void GradientStep::weigh_rows(const Batch& batch) {
  const auto rows = static_cast<std::size_t>(batch.rows());
  const float *const labels = batch.labels, *const weights = batch.weights, *const scores = scores_.data();
  double *const loss = row_loss_.data(), *const weight = row_weight_.data(), *const right = row_right_.data();
  for (std::size_t i = 0; i < rows; ++i) {
    const double weighted = weights[i] * loss[i];
    weight[i] = weights[i];
    loss[i] = weights[i] == 0 ? 0 : weighted;  // the loss may be infinite there
  }
  if (loss_.task() != Task::kClassification) return;
  if (outputs_ == 1)
    for (std::size_t i = 0; i < rows; ++i)
      right[i] = ((scores[i] > 0) == (labels[i] > 0.5F) ? weights[i] : 0.0F);
  else
    for (std::size_t i = 0; i < rows; ++i) {
      const float* const row = scores + static_cast<Index>(i) * stride_;
      const auto decided = std::max_element(row, row + outputs_) - row;
      right[i] = static_cast<float>(decided) == labels[i] ? weights[i] : 0.0F;
    }
}

Tail GradientStep::tail_of(Index begin, Index end) const {
  const auto sum = [&](const AlignedVector<double>& rows) {
    return sum_of(rows.data() + begin, end - begin);
  };
  Tail tail;
  tail.sums[kTailWeight] = sum(row_weight_);
  tail.sums[kTailLoss] = sum(row_loss_);
  if (loss_.task() == Task::kClassification) tail.sums[kTailCorrect] = sum(row_right_);
  return tail;
}

void GradientStep::sum_tails(const Batch& batch) {
  weigh_rows(batch);
  buffer_.prefetch_part();
  for (const GradientSum::Push& push : sums_.plan()) {
    if (push.end > push.begin)
      tails_[static_cast<std::size_t>(tail_depth_++)] = tail_of(push.begin, push.end);
    add_tails(push.additions);
  }
}

void GradientStep::add_tails(int additions) {
  for (; additions > 0; --additions, --tail_depth_)
    tails_[static_cast<std::size_t>(tail_depth_) - 2].add(tails_[static_cast<std::size_t>(tail_depth_) - 1]);
}

void GradientStep::add_leaf(int shard) {
  const float* const leaf = sums_.leaf();
  if (leaf == nullptr) return;
  if (shard == watched_)
    watched_hash_ =
        compact_ == nullptr ? leaf_hash(layout_, leaf) : sparse_leaf_hash(layout_, compact_->keys(), leaf);
  Tail& tail = tails_[static_cast<std::size_t>(tail_depth_) - 1];
  if (measures_ && tail.sums[kTailWeight] > 0) {
    tail.sums[kTailSquares] = leaf_squares(layout_, compact_ == nullptr ? nullptr : compact_->keys(), leaf) /
                              tail.sums[kTailWeight];
    tail.sums[kTailShards] = 1;
  }
  add_tails(sums_.add_leaf());
}

std::string GradientStep::find_non_finite(const float* weights, const BatchWindow& window) {
  const Sampler::Window window_places(dataset_.shards(), window.first, window.last);
  for (int shard = dataset_.hosted().first; shard < dataset_.hosted().last; ++shard) {
    const auto places = window_places.of(shard);
    for (Index place = places.first; place < places.last; ++place) {
      const auto row = sampler_.rows(shard, {place, place + 1});
      buffer_.clear(window.epoch);
      buffer_.append(shard, row, place, true);
      const Batch batch = next_batch();
      const Matrix scores{scores_.data(), 1, outputs_, stride_};
      model_.forward(weights, batch, Pass::kTrain, scores);
      loss_.evaluate(scores, batch.labels, batch.weights, row_loss_.data(),
                     {score_gradient_.data(), 1, outputs_, stride_});
      if (batch.weights[0] > 0 && !std::isfinite(row_loss_[0]))
        return "the loss of training row " +
               std::to_string(static_cast<Index>(row[0]) * dataset_.shards() + shard + 1) + " (shard " +
               std::to_string(shard) + ") is not finite";
    }
  }
  return "";
}

PhaseSeconds GradientStep::take_seconds() {
  const double tick = clock_.seconds_per_tick();
  return {static_cast<double>(std::exchange(data_ticks_, 0)) * tick,
          static_cast<double>(std::exchange(compute_ticks_, 0)) * tick};
}

}  // namespace lockstep
