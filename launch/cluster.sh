#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# launch/cluster.sh HOSTFILE SUBCOMMAND [ARGUMENT ...]
#
# Runs a subcommand on the machines of a hostfile, one rank on each slot:
#
#     launch/cluster.sh hosts.txt train -c configs/fashion_mlp.toml
#
# The hostfile has one line for each machine: a name that ssh reaches without a password, and how many ranks it
# takes, at most its physical cores. Text behind # is ignored. Ranks are numbered in the order of the lines.
#
#     node1 slots=16        # the first machine: ranks 0 to 15
#     node2 slots=16        # ranks 16 to 31
#
# Every machine needs the program at the same path (a shared folder, or a copy), Open MPI of the same version,
# and the same data files. The run directory is written by rank 0, on the first machine, and must be readable
# from all when a run is resumed. The instruction set may not differ: ranks compare it at start.
#
# Variables: RANKS (fewer ranks than slots), LOCKSTEP (another program than build/release/lockstep),
# MPIRUN_OPTIONS (more options for mpirun, such as "--mca btl_tcp_if_include eth0" where machines have several
# networks). Variables named LOCKSTEP_* reach all ranks. `kill -USR1` of the mpirun saves a checkpoint and stops
# with code 75. All arguments are passed through.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/dependencies.sh"

[[ $# -gt 0 && $1 != --help && $1 != -h ]] || print_help
[[ $# -ge 2 ]] || fail "a hostfile and a subcommand are needed; see --help" 64
[[ -r $1 ]] || fail "cannot read the hostfile $1" 69
program=${LOCKSTEP:-$root/build/release/lockstep}
[[ -x $program ]] || fail "$program is not there; build it with launch/quickstart.sh" 69

options=(--hostfile "$1" --map-by core --rank-by core --bind-to core --wdir "$PWD")
# Ranks get so long from SIGTERM to SIGKILL; mpirun waits as long after a rank has ended with another code than 0.
options+=(--mca odls_base_sigkill_timeout 5)
[[ -z ${RANKS:-} ]] || options+=(-n "$RANKS")
[[ $(id -u) != 0 ]] || options+=(--allow-run-as-root)
for variable in "${!LOCKSTEP_@}"; do options+=(-x "$variable"); done
read -r -a more <<<"${MPIRUN_OPTIONS:-}"

line=(mpirun "${options[@]}" "${more[@]}" "$(realpath "$program")" "${@:2}")
printf '%q ' "${line[@]}" >&2 && echo >&2
exec "${line[@]}"
