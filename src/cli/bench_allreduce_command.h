// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/commands.h"

namespace lockstep {

/// bench allreduce: what averaging a vector over ranks costs, by its size. With --json one object:
///
///     schema "lockstep.bench.allreduce/1", version, ranks, nodes, mpi, rounds,
///     results: [{bytes, transport, lockstep_us, mpi_us, copy_us, mpi_per_lockstep}]
///
/// Keys may be added; what they mean changes only with the number behind the schema.
void add_bench_allreduce_command(std::vector<Command>* rows);

}  // namespace lockstep
