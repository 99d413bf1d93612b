// SPDX-License-Identifier: Apache-2.0
#include "train/options.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr int kFewestShards = 2;
constexpr int kMostShards = 64;
constexpr Index kRowsPerShard = 32;

void declare_run(OptionTable& table) {
  table.text("run.name", "",
             "name of the run, part of its directory's name; default: the config's file name");
  table.integer("run.seed", 1, "the one seed: shuffling, initial weights, dropout and splits are keyed by it")
      .range(0);
  table.text("run.root", "runs", "folder under which new run directories are made");
}

void declare_auto_batch(OptionTable& table) {
  table
      .integer(
          "train.batch_min", 128,
          "with batch = \"auto\": the batch it begins with and never goes below; the rate is meant for it, "
          "and train.shards follow from it")
      .range(1);
  table.integer("train.batch_max", 0, "with batch = \"auto\": the largest batch; 0: an eighth of the rows")
      .range(0);
  table
      .text(
          "train.batch_rule", "adascale",
          "with batch = \"auto\": what the rate is multiplied by in a batch of s times batch_min. adascale: "
          "the gain r of Johnson et al. (2020), between 1 and s by the gradient noise, and its root for "
          "optimizers that divide by the size of gradients; linear: s; sqrt: the root of s; none: 1")
      .one_of({"adascale", "linear", "sqrt", "none"});
  table
      .reals("train.batch_cost", {0, 0},
             "with batch = \"auto\": microseconds of a step and of each of its rows, [fixed, per row], which "
             "`lockstep tune` measures: the batch is then the one that takes the least time. 0, 0: the noise "
             "scale itself is the batch")
      .range(0);
}

void declare_train(OptionTable& table) {
  table.text(
      "train.batch", "128",
      "rows of one global batch, over all ranks: a number, \"full\" for all rows, or \"auto\": it follows "
      "the gradient noise between train.batch_min and train.batch_max, and lengths in steps are then "
      "those of batch_min rows");
  table
      .integer("train.shards", 0,
               "shards S, part of the experiment: ranks host them, and gradients are summed by them. 0: the "
               "largest "
               "power of two ≤ batch/32 within 2 … 64 (full batch: 64)")
      .range(0, 4096);
  declare_auto_batch(table);
  table.real("train.epochs", 10, "passes over the training rows; fractions count").range(0, 1e9);
  table.integer("train.steps", 0, "stop after this many batches instead of train.epochs; 0: epochs count")
      .range(0);
  table.flag("train.shuffle", true,
             "permute the rows of every shard anew each epoch (data.shuffle_window); false: file order");
  table
      .integer(
          "train.noise_every", 100,
          "measure the gradient noise every so many batches, and at least fifty times a run: the noise "
          "scale tells up to which batch larger ones pay. It costs less than a hundredth of the time and "
          "changes no bit. 0: never")
      .range(0);
  table.flag(
      "train.progressive", false,
      "tell progressive.loss: the mean over all rows used since the start of the run of their loss before "
      "they "
      "were learnt from, so that the first epoch is a test on unseen rows. Costs nothing and changes no bit");
  table.text("train.target", "",
             "stop when reached: \"valid.accuracy >= 0.88\"; the time to it goes to the summary");
  table.text(
      "train.budget", "never",
      "end the run, evaluated and saved like a finished one, after so much time in steps (\"10min\") or "
      "so many of them (\"500 steps\", \"2 epochs\"); the schedule keeps to the planned length");
  table.text(
      "train.time_limit", "never",
      "stop, save and end with code 75 before so much time is over (\"55min\"), counted from the start of "
      "the process, or from LOCKSTEP_START or SLURM_JOB_START_TIME if set (seconds since 1970)");
  table.text("train.watch", "valid.loss",
             "metric that chooses the best weights, early stopping and plateaus");
  table
      .integer("train.patience", 0, "stop after this many evaluations without a better train.watch; 0: never")
      .range(0);
  table.real("train.min_delta", 0, "what counts as better by at least this much").range(0);
  table.flag("train.restore_best", true, "with patience: end with the best weights, not the last");
  table
      .real("train.tolerance", 0,
            "stop when the norm of the gradient of the objective is at most this; 0: never")
      .range(0);
  table.text("train.average", "none", "weights used for evaluation and the model file: an average over steps")
      .one_of({"none", "ema", "polyak"});
  table.real("train.average_decay", 0.999, "decay of the exponential moving average").range(0, 1);
  table.text("train.average_start", "0 steps", "when averaging begins: \"2 epochs\", \"500 steps\"");
  table
      .text("train.on_nan", "stop",
            "a step with a non-finite loss or gradient ends the run, is skipped by all ranks, or lets all go "
            "back as with train.on_spike")
      .one_of({"stop", "skip", "rewind"});
}

void declare_trouble(OptionTable& table) {
  table
      .text(
          "train.on_spike", "off",
          "what becomes of a step whose loss is above train.spike_factor times the median of the "
          "train.spike_window steps before: stop: the run ends with code 79; skip: no rank makes the step; "
          "rewind: all go back to the state of train.rewind_steps steps ago and pass over train.rewind_skip "
          "batches from there. Decided from reduced values, so alike on any number of ranks and after a "
          "resume")
      .one_of({"off", "stop", "skip", "rewind"});
  table.real("train.spike_factor", 3, "how many times the median a loss must exceed to be a spike")
      .range(1, 1e9);
  table
      .integer("train.spike_window", 100,
               "of how many losses the median is; before there are so many no loss is a spike")
      .range(1, 1000000);
  table
      .integer("train.rewind_steps", 100,
               "how many steps to go back at least, and less than twice as many. Every so many steps ranks "
               "keep their slices of weights, optimizer state and averages in memory, twice, and checkpoints "
               "hold them too")
      .range(1);
  table
      .integer("train.rewind_skip", 200,
               "batches to pass over after going back; the one that spiked is always among them")
      .range(1);
  table
      .integer("train.check_every", 0,
               "compare the weights of all nodes every so many steps (each node has a copy); a run whose "
               "nodes disagree ends with code 76, naming the odd one. 0: every epoch, or with log.hash_every")
      .range(0);
  table
      .integer(
          "train.audit", 0,
          "once in so many steps the gradient of one random shard is computed by another rank as well, "
          "and the bits are compared: a rank that computes wrongly ends the run with code 76, before its "
          "gradient is used. 0: never. Changes no bit")
      .range(0);
  table
      .text(
          "train.on_disagree", "stop",
          "ranks that disagree (train.check_every, train.audit) end the run with code 76, or go back to the "
          "last state that passed and train on; the second time on account of the same rank it ends")
      .one_of({"stop", "rollback"});
}

void declare_others(OptionTable& table) {
  table.text("eval.every", "1 epoch",
             "how often data.valid and data.test are evaluated: \"1 epoch\", \"500 steps\", \"5%\" (whenever "
             "the steps "
             "have grown by so much) or \"never\", which leaves the end of the run");
  table.text("eval.train", "end", "when metrics of all training rows are computed")
      .one_of({"end", "always", "never"});
  table.integer("eval.top_k", 5, "k of the top-k accuracy").range(1, 1000);
  table.text("checkpoint.every", "10min", "\"500 steps\", \"2 epochs\", \"10min\", or \"never\"");
  table
      .integer("checkpoint.keep", 2,
               "newest checkpoints kept; milestones and the best weights are kept besides")
      .range(1, 1000000);
  table.text("checkpoint.milestones", "never",
             "how often a checkpoint is saved that is never removed: \"10 epochs\", \"5000 steps\"");
  table.flag(
      "checkpoint.background", true,
      "write checkpoints while training goes on, which takes their size in memory once more; one that is "
      "due while another is being written waits for it. false: training waits, and saves exactly when due");
  table.flag("checkpoint.verify", false, "read every checkpoint back after writing, before it counts");
  table.real("comm.timeout_s", 600, "seconds a rank waits for another before it gives up").range(0.1, 1e7);
  table
      .real("comm.stall_s", 30,
            "seconds that the ranks of a node may stand still in a step, all of them, before they say where "
            "they are and who is late, and end with code 75; at least twenty steps. Elsewhere "
            "comm.timeout_s is the limit. 0: never")
      .range(0, 1e7);
  table.flag(
      "comm.shared_memory", true,
      "ranks of one machine sum gradients in memory they share, where it can be had; false: by messages. The "
      "bits are the same");
  table
      .text("comm.node", "host",
            "which ranks share one copy of the weights: those of a machine, or of a NUMA domain of it")
      .one_of({"host", "numa"});
  table
      .integers(
          "comm.ranks_per_node", {0},
          "ranks that share memory, in groups of so many on each machine; of several sizes the last one is "
          "repeated; 0: all of the machine. The bits are the same")
      .range(0, 1000000);
  table
      .integer(
          "comm.bucket_kib", 4096,
          "gradients larger than this travel between nodes while the rest is computed, so much at a time")
      .range(16, 1048576);
  table
      .text("comm.sparse", "auto",
            "whether steps on sparse rows exchange and update only the features they touch: for models whose "
            "weights belong to features, and for sgd, adagrad and ftrl, whose penalties on other weights are "
            "made up for when these are next read. Without l1, l2 and weight_decay the bits are those of "
            "\"off\" (ftrl: with a constant rate), with them the weights are within rounding. auto: where it "
            "can be and 4 times the entries of a mean batch are at most the features")
      .one_of({"auto", "on", "off"});
  table.text("log.progress", "auto", "progress on stderr: a live bar on a terminal, lines elsewhere")
      .one_of({"auto", "bar", "line", "none"});
  table.flag(
      "log.tensorboard", false,
      "write the numbers of metrics.jsonl as TensorBoard scalars too, to tensorboard/ in the run directory");
  table.text("log.trace", "",
             "steps, \"100-110\", of which trace.json shows what every rank did when; for Perfetto or "
             "chrome://tracing");
  table.flag(
      "log.curves", true,
      "at the end of the run write curves.json: ROC, precision and recall, calibration or residuals of "
      "data.valid and data.test, for which their rows are scored once more");
  table
      .integer("log.path", 0,
               "snapshots of the weights along the way, at most, in path.safetensors, for charts of it; kept "
               "in memory by rank 0; 0: none")
      .range(0, 1000000);
  table
      .integer("log.hash_every", 0,
               "write the hash of the weights to metrics.jsonl every so many steps; 0: every epoch")
      .range(0);
}

}  // namespace

void declare_train_options(OptionTable& table) {
  declare_run(table);
  declare_train(table);
  declare_trouble(table);
  declare_others(table);
}

bool is_batch_auto(const Options& options) {
  return options.text("train.batch") == "auto";
}

Index batch_size(const Options& options, Index rows) {
  const std::string& text = options.text("train.batch");
  if (text == "full") return rows;
  if (text == "auto") return std::min<Index>(options.integer("train.batch_min"), rows);
  Index batch = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), batch);
  if (error != std::errc() || end != text.data() + text.size() || batch < 1)
    throw Error(ExitCode::kConfig, options.origin("train.batch") + ": train.batch = \"" + text +
                                       "\": expected \"full\", \"auto\" or a number of rows from 1");
  return std::min(batch, rows);
}

int shard_count(const Options& options) {
  const auto chosen = static_cast<int>(options.integer("train.shards"));
  if (chosen > 0) return chosen;
  if (options.text("train.batch") == "full") return kMostShards;
  const Index batch = batch_size(options, std::numeric_limits<Index>::max());
  int shards = kFewestShards;
  while (shards < kMostShards && shards * 2 <= batch / kRowsPerShard) shards *= 2;
  return shards;
}

}  // namespace lockstep
