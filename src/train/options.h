// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/options.h"
#include "lockstep/core/view.h"

namespace lockstep {

/// Keys of [run], [train], [eval], [checkpoint], [comm] and [log].
void declare_train_options(OptionTable& table);

/// Whether train.batch = "auto": the batch follows the gradient noise (BatchPolicy).
bool is_batch_auto(const Options& options);

/// B of train.batch for N training rows: "full" is N, "auto" is train.batch_min. Throws Error(kConfig).
Index batch_size(const Options& options, Index rows);

/// S: train.shards, or by default the largest power of two ≤ B/32 within 2 … 64; full batch 64; "auto" by
/// train.batch_min.
int shard_count(const Options& options);

}  // namespace lockstep
