#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/fault/soak.sh [--kills N] [--hours H] [--seed S] [--jobs J] [--mode launch|train] [--early] [--hosts N]
#                     [--program FILE] [--keep FOLDER]
#
# Chaos: short trainings whose ranks, mpirun and supervisor are killed, told to end and stopped for a while at random
# moments, again and again, and go on with another number of ranks each time. Every run must end with the weights of
# the undisturbed one, after every step of which the hash is known. Ends after N times kill -9 (1000), or after H hours
# (1); a table is printed and the code is 1 if a kill was not survived or anything hung.
#
# --mode launch leaves recovery to `lockstep launch`, and starts that again when it is killed itself; --mode train does
# what a user would: `lockstep resume RUN -n P`. Without it: launch, if the program has it. J trainings go on at once (4,
# since most of the time is spent waiting for processes to end). --early strikes while ranks are starting, and mostly
# the supervisor. --hosts N trains on virtual hosts (cluster.sh), whose processes are killed all at once and whose cables
# are cut, for 1, 3 or 30 s. --keep leaves the runs that failed in FOLDER.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/launch/dependencies.sh"
[[ ${1:-} != --help && ${1:-} != -h ]] || print_help
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
exec /usr/bin/python3 -B "$root/tests/fault/soak.py" --program "$root/build/release/lockstep" "$@"
