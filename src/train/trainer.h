// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/rank_record.h"
#include "lockstep/comm/communicator.h"
#include "optim/rate.h"
#include "train/audit.h"
#include "train/batch_policy.h"
#include "train/cadence.h"
#include "train/checkpoint.h"
#include "train/checkpoint_reader.h"
#include "train/checkpoint_session.h"
#include "train/evaluator.h"
#include "train/experiment.h"
#include "train/gradient_step.h"
#include "train/noise_meter.h"
#include "train/observer.h"
#include "train/rank_times.h"
#include "train/rewind.h"
#include "train/run_directory.h"
#include "train/sparse_choice.h"
#include "train/sparse_step.h"
#include "train/spike_rule.h"
#include "train/step_replay.h"
#include "train/step_times.h"
#include "train/step_trace.h"
#include "train/stop_rules.h"
#include "train/update_step.h"
#include "train/weight_average.h"
#include "train/weight_check.h"
#include "train/weight_path.h"

namespace lockstep {

enum class EndReason { kFinished, kTarget, kPatience, kTolerance, kBudget, kStopped, kDiverged };

/// What a run came to.
struct TrainOutcome {
  EndReason reason = EndReason::kFinished;
  StepReport last;
  RankTimesReport times;                             ///< of all ranks, of this session
  MetricValues metrics;                              ///< "valid.loss", "test.accuracy", …
  std::map<std::string, ConfusionMatrix> confusion;  ///< by data set; empty for a regression
  std::string hash;                                  ///< parameters_hash of the weights that were kept
  double time_to_target_s = -1;
  Index best_step = -1;
  Index skipped_steps = 0;  ///< batches whose step was not made: non-finite ones, and spikes
};

/// Synchronous data-parallel training of one experiment. Every rank makes one and calls run(); what they
/// decide they decide from reduced values, so they cannot disagree. The weights end in `model`.
class Trainer {
 public:
  Trainer(const Options& options, const Plugins& plugins, Communicator& communicator, const DataSets& data,
          TrainedModel& model);

  /// Collective. Where checkpoints go: null on all ranks but 0, and there if nothing is to be written.
  void write_to(RunDirectory* directory, FileSystem* files = &machine_files());
  void add_observer(StepObserver& observer) { observers_.push_back(&observer); }
  /// Throws Error(kConfig) or Error(kData) that tells what differs.
  void require_same_experiment(const RunState& state) const;
  /// Continues where this checkpoint was written. Throws Error(kData) where it is damaged; another one may
  /// then be tried.
  void resume(const RunState& state, CheckpointReader& checkpoint);

  /// Collective. Throws AgreedError(kDiverged).
  TrainOutcome run();
  /// In the place of run(), on one rank: what the step of a dump makes of its rows. Throws Error where it is
  /// of another experiment.
  StepReplay replay(const TensorFile& dump);
  /// What a run that diverged had come to.
  TrainOutcome diverged_outcome();

  Index batch() const { return batches_.batch(); }  ///< now
  const BatchPolicy& batches() const { return batches_; }
  Index steps_per_epoch() const { return steps_per_epoch_; }
  Index total_steps() const { return total_steps_; }
  Index step() const { return step_; }  ///< updates made
  const Rate& rate() const { return rate_; }
  const NoiseMeter& noise() const { return noise_; }
  std::string transport() const { return reducer_->transport(); }
  /// What is to be said of sparse gradients; "": nothing.
  const std::string& sparse_line() const { return sparse_choice_.line; }
  /// How often the run went back on account of a spike or a non-finite step, and the batches it passed over.
  Index rewinds() const { return rewinds_; }
  Index passed_over() const { return passed_over_; }
  const StepTimes& step_times() const { return step_times_; }
  const CheckpointSession& checkpoints() const { return checkpoints_; }
  std::size_t memory_bytes() const;
  /// Without what a resumed run had done before.
  Index rows_this_session() const { return consumed_ - resumed_rows_; }
  double seconds_this_session() const { return report_.train_s - resumed_train_s_; }

  /// Set by signal handlers: save at the next step boundary and end with kStopped.
  static std::atomic<bool> stop_requested;

 private:
  Index rows() const { return data_.train.info().rows; }
  BatchWindow next_window() const;
  Index position(Index consumed) const;
  Index schedule_step(const BatchWindow& window) const;
  Index expected_steps() const;
  void share_times();
  void tell_times();
  std::vector<TensorView> current_tensors();
  void keep_path();
  void finish_path();
  void write_trace();
  void run_step();
  void start_weights();
  void end_step_without_update();
  UpdateResult apply(float* gradient, const Tail& total);
  void update_weights(float* gradient, const Tail& total, const BatchWindow& window);
  void check_trouble_options() const;
  TroubleReport trouble_in(const BatchWindow& window, const std::string& what, const Tail& total) const;
  void tell_trouble(const TroubleReport& trouble);
  [[noreturn]] void end_in_trouble(TroubleReport trouble, ExitCode code, const std::string& message);
  void skip_step(TroubleReport trouble);
  void handle_non_finite(const BatchWindow& window, const Tail& total);
  bool is_spike(const Tail& total);
  void handle_spike(const BatchWindow& window, const Tail& total);
  void go_back(const Snapshot& snapshot);
  void remove_checkpoints_since(Index step);
  void rewind(TroubleReport trouble);
  void pass_over(const BatchWindow& window);
  void handle_disagreement(TroubleReport trouble, const Verdict& verdict);
  bool passes_weight_check();
  bool passes_checks(const BatchWindow& window, const Tail& total);
  void tell_hash();
  void keep(Snapshot& snapshot);
  void keep_rollback();
  void keep_states();
  std::vector<NamedSlice> slices();
  std::vector<double> trouble_state() const;
  void restore_trouble(const std::vector<double>& state);
  void dump(const TroubleReport& trouble);
  std::string blame(const BatchWindow& window);
  void tell_step(const Tail& total);
  void tell_noise(const Tail& total);
  void after_step(Index before);
  void evaluate();
  void keep_best(const float* weights);
  void save_best(const float* weights);
  void save_checkpoint();
  void save_path();
  std::vector<CheckpointSource> checkpoint_sources(bool all);
  RunState run_state() const;
  void take(const RunState& state);
  void require_sound(const RunState& state) const;
  void add_final_metrics();
  void keep_final_weights();
  bool is_finished() const { return position(consumed_) >= total_steps_ || reason_ != EndReason::kFinished; }
  MetricValues measure(const float* weights, const Dataset& rows, const std::string& name);
  void require_metric(const std::string& key, const std::string& metric) const;
  const float* weights_to_evaluate();

  const Options& options_;
  Communicator& communicator_;
  RankRecord& record_;
  const DataSets& data_;
  TrainedModel& model_;
  RunDirectory* directory_ = nullptr;
  std::unique_ptr<Optimizer> optimizer_;
  Sampler sampler_;
  BatchPolicy batches_;
  SparseChoice sparse_choice_;
  std::unique_ptr<SparseStep> sparse_;  // null: gradients are dense
  std::unique_ptr<GradientReducer> reducer_;
  float* weights_;  // the reducer's: M floats, all ranks of a node may have the same
  GradientStep gradient_step_;
  UpdateStep update_step_;
  Index steps_per_epoch_;  // these two in steps of batches_.first() rows
  WeightAverage average_;
  Index total_steps_;
  Rate rate_;
  NoiseMeter noise_;
  Target target_;
  BestWatch watch_;
  Cadence evaluation_cadence_, budget_;
  bool keeps_best_;
  std::vector<StepObserver*> observers_;
  RankTimes rank_times_;
  const bool watches_spikes_, keeps_rollback_;
  const Index check_every_;  // steps; 0: only where the hash is told
  WeightCheck weight_check_;
  SpikeRule spikes_;
  Rewind rewind_;
  Snapshot rollback_;             // the last state that passed, for train.on_disagree
  Rewind rollback_rewind_;        // what rewind_ had kept by then
  std::unique_ptr<Audit> audit_;  // null: nothing is computed twice
  WeightPath path_;
  StepTrace trace_;

  Index step_ = 0;      // updates made
  Index consumed_ = 0;  // rows used, over all epochs
  Index resumed_rows_ = 0;
  double resumed_train_s_ = 0;
  AlignedVector<float> best_weights_;  // of the slice
  StepReport report_;
  StepTimes step_times_;
  TrainOutcome outcome_;
  EndReason reason_ = EndReason::kFinished;
  CheckpointSession checkpoints_;
  std::uint64_t votes_ = 0;  // of the last step
  bool gathers_times_now_ = false;
  Index skipped_in_a_row_ = 0;
  Index rewinds_ = 0, rewinds_in_a_row_ = 0, passed_over_ = 0;
  std::vector<int> blamed_;  // ranks that disagreed in this session
  Index passed_step_ = 0;    // the last whose state passed a check
  Index hashed_step_ = -1;
  double loss_sum_ = 0, weight_sum_ = 0;  // of the rows of all updates
};

}  // namespace lockstep
