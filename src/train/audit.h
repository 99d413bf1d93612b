// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lockstep/comm/communicator.h"
#include "lockstep/core/options.h"
#include "train/gradient_step.h"
#include "train/shard_computer.h"
#include "train/sparse_step.h"
#include "train/verdict.h"

namespace lockstep {

/// What an audit works with; all of it lives as long.
struct AuditContext {
  Communicator& communicator;
  const Dataset& dataset;
  Sampler& sampler;
  const TrainedModel& model;
  GradientStep& gradient_step;
  SparseStep* sparse = nullptr;   ///< null: gradients are dense
  float* free_weights = nullptr;  ///< M floats nobody needs in a step
  Index batch = 1;                ///< the most rows of a step
};

/// Once in `train.audit` = k steps the gradient of one shard is computed by another rank too, from rows it is
/// sent, and the bits of both sums are compared before anything is updated. Which step of every k, which
/// shard and which ranks follow from (seed, step, P). On one rank it computes them again itself, which finds
/// faults that come and go, and not a broken processor. Not seen are faults in rows and weights, of which
/// both have the same, and in additions behind the sum of a shard. Changes no bit.
///
/// Cost, once in k steps: the rows and the gradient of one shard twice, a pass over M floats on two ranks,
/// and a gather of 16 bytes. Memory: that of ShardComputer and of the rows of a shard in a step.
class Audit {
 public:
  Audit(const Options& options, const AuditContext& context);

  /// What is looked at in step number `step` (0, 1, …).
  struct Choice {
    int shard = -1;  ///< none
    int host = 0;    ///< the rank that hosts it
    int auditor = 0;
    int third = -1;  ///< who decides; none on less than three ranks
  };
  static Choice choose(std::uint64_t seed, Index every, Index step, const BatchWindow& window, int shards,
                       int ranks);

  /// Collective, before GradientStep::run(). `weights`: the M dense ones.
  void begin(const BatchWindow& window, Index step, const float* weights);
  bool is_on() const { return choice_.shard >= 0; }
  int shard() const { return choice_.shard; }
  /// Collective where is_on(), when the gradient is reduced and no weight is changed yet. A verdict if the
  /// sums differ: whoever had them computes them again, and a third rank, and what most have is right.
  std::optional<Verdict> finish();

 private:
  /// What a rank found the hash of the sum to be.
  struct Record {
    std::uint64_t first = 0;  ///< of what the step used, or of what the auditor computed
    std::uint64_t audited = 0;
    std::uint64_t again = 0;
  };
  std::uint64_t compute(const std::vector<int>& receivers, bool gathers);
  Verdict judge();
  const float* current_weights() const;
  const Record& of(int rank) const { return records_[static_cast<std::size_t>(rank)]; }

  AuditContext context_;
  std::uint64_t seed_;
  Index every_;
  RowParcel rows_;
  std::optional<BatchBuffer> entries_;  // the step's own has none of sparse rows
  ShardComputer computer_;
  Choice choice_;
  BatchWindow window_;
  Index step_ = 0;
  const float* weights_ = nullptr;
  Record mine_;
  std::vector<Record> records_;  // by rank
  std::vector<int> peers_;
};

}  // namespace lockstep
