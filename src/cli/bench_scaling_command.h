// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// bench scaling: one config on 1 … P ranks of this machine. Strong: the same batch. Weak: batch and shards
/// grow with the ranks. Copies: as many processes at once that know nothing of each other, which is what the
/// machine gives without communication. With --json one object:
///
///     schema "lockstep.bench.scaling/1", version, batch, shards, rounds, results: [{ranks,
///     strong: {rows_per_s, step_ms, efficiency, per_copies}, weak: {the same}, copies: {rows_per_s,
///     efficiency}}]
///
/// efficiency = rows_per_s / (ranks · that of one rank); per_copies = rows_per_s / that of the copies. Keys
/// may be added; what they mean changes only with the number behind the schema.
void add_bench_scaling_command(std::vector<Command>* rows);

}  // namespace lockstep
