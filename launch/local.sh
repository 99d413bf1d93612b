#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# launch/local.sh SUBCOMMAND [ARGUMENT ...]
#
# Runs a subcommand on this machine with one rank on every physical core, or with RANKS of them:
#
#     launch/local.sh train -c configs/fashion_mlp.toml
#     RANKS=2 launch/local.sh train -c configs/fashion_mlp.toml
#
# It is `lockstep SUBCOMMAND -n RANKS ...`, which prints the mpirun line it starts, with mapping and binding. RANKS
# beyond the cores share them. All arguments are passed through. LOCKSTEP names another program than
# build/release/lockstep.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/dependencies.sh"

[[ $# -gt 0 && $1 != --help && $1 != -h ]] || print_help
program=${LOCKSTEP:-$root/build/release/lockstep}
[[ -x $program ]] || fail "$program is not there; build it with launch/quickstart.sh" 69
ranks=${RANKS:-$(lscpu --parse=CORE,SOCKET | grep -v '^#' | sort --unique | wc -l)}
exec "$program" "$1" -n "$ranks" "${@:2}"
