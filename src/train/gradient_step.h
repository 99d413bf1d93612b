// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "comm/rank_record.h"
#include "core/aligned.h"
#include "core/tick_clock.h"
#include "data/batch_buffer.h"
#include "data/ledger.h"
#include "data/sampler.h"
#include "lockstep/model/gradient_sum.h"
#include "lockstep/model/loss.h"
#include "lockstep/model/model.h"
#include "lockstep/reduce/gradient_reducer.h"
#include "train/batch_window.h"
#include "train/compact_rows.h"
#include "train/step_trace.h"

namespace lockstep {

/// What Tail::sums hold in training; the last two where shards are measured: Σ ‖g_s‖²/n_s over the shards s
/// with row weight n_s > 0, g_s the sum of their rows' gradients, and how many shards these are.
enum TailSum { kTailWeight = 0, kTailLoss = 1, kTailCorrect = 2, kTailSquares = 3, kTailShards = 4 };

/// Seconds of one rank's part of a step.
struct PhaseSeconds {
  double data = 0;
  double compute = 0;
};

/// Whose gradient is formed, and where its partial sums go.
struct GradientTarget {
  Model& model;
  const ParameterLayout& layout;  ///< of the reducer's buffers
  GradientReducer& reducer;
  CompactRows* compact = nullptr;  ///< not null: the model knows columns by their places among the keys
};

/// One rank's share of the gradient of a batch: gathers the rows of its shards, runs the model and the loss,
/// and leaves the sums of its subtrees in the buffers of the reducer. Allocates nothing after its first
/// steps.
class GradientStep {
 public:
  GradientStep(const Dataset& dataset, Sampler& sampler, const GradientTarget& target, const Loss& loss,
               Index outputs);

  void run(const float* weights, const BatchWindow& window);
  /// Whether the next run() tells kTailSquares and kTailShards, shard by shard; the gradient has the same
  /// bits.
  void measure_shards(bool measures);

  /// Whether the next run() takes the hash of what the gradients of this shard come to, if this rank hosts
  /// it; −1: of none. The gradient has the same bits.
  void watch_shard(int shard);
  /// leaf_hash() or sparse_leaf_hash() of that sum.
  std::uint64_t watched_hash() const { return watched_hash_; }

  std::span<const TreeNode> nodes() const { return nodes_; }
  std::span<const Tail> tails() const { return std::span(tails_).first(nodes_.size()); }
  /// Of all S shards, which have rows in the window.
  std::span<const char> has_rows() const { return has_rows_; }
  PhaseSeconds take_seconds();
  /// The next run() tells when it did what, as of this step; null: does not.
  void trace_to(StepTrace* trace, Index step) { trace_ = trace, traced_step_ = step; }
  /// Where run() tells that it moves, batch by batch.
  void record_to(RankRecord& record) { record_ = &record; }
  /// Rows of this window count as used, though run() never saw them: a resumed run did before.
  void mark_used(const BatchWindow& window);
  /// The only rows of this epoch that count as used are those before `position`: the run goes on from there.
  void start_from(std::uint64_t epoch, Index position);
  /// Between two steps its rows may be others.
  BatchBuffer& buffer() { return buffer_; }
  /// Of this rank's rows, by epoch.
  Ledger& ledger() { return ledger_; }

  /// Which of this rank's rows in the window has a loss that is not finite: "row 123 (shard 3)", or "".
  std::string find_non_finite(const float* weights, const BatchWindow& window);

 private:
  void append(int shard, Sampler::Places places);
  void process(bool is_last = false);
  Batch next_batch();
  void weigh_rows(const Batch& batch);
  Tail tail_of(Index begin, Index end) const;
  void sum_tails(const Batch& batch);
  void add_tails(int additions);
  void add_leaf(int shard);
  bool holds_leaves() const { return measures_ || watched_ >= 0; }

  const Dataset& dataset_;
  Sampler& sampler_;
  Model& model_;
  CompactRows* compact_;
  const Loss& loss_;
  Index outputs_;
  Index stride_;
  Index rows_at_once_;
  BatchBuffer buffer_;
  Ledger ledger_;
  GradientSum sums_;
  const float* weights_ = nullptr;
  std::span<const TreeNode> nodes_;
  std::vector<Tail> tails_;
  int tail_depth_ = 0;
  std::vector<char> has_rows_;
  AlignedVector<float> scores_, score_gradient_;
  AlignedVector<double> row_loss_, row_weight_, row_right_;
  GradientReducer& reducer_;
  TickClock clock_;
  std::uint64_t mark_ = 0, data_ticks_ = 0, compute_ticks_ = 0;
  StepTrace* trace_ = nullptr;
  Index traced_step_ = 0;
  double traced_until_s_ = 0;
  const ParameterLayout& layout_;
  bool measures_ = false;
  RankRecord own_record_;
  RankRecord* record_ = &own_record_;
  int watched_ = -1;
  std::uint64_t watched_hash_ = 0;
};

}  // namespace lockstep
