// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// bench step: where the time of one config's step goes, against what its matrix products and the memory
/// allow. With --json one object, times in milliseconds, of rank 0:
///
///     schema "lockstep.bench.step/1", version, ranks, batch, shards, steps, first_steps, first_hash,
///     rows_per_s, step_ms: {mean, p50, p95, p99}, mean_ms: {data, compute, exchange, wait, update}, limits:
///     {products_ms, memory_ms, triad_gb_per_s, products_per_step, memory_per_step}
///
/// first_hash is the parameters_hash after first_steps steps. limits are missing with --no-limits. With
/// --copies rows_per_s is of all copies together. Keys may be added; what they mean changes only with the
/// number behind the schema.
void add_bench_step_command(std::vector<Command>* rows);

}  // namespace lockstep
