# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of this folder share. Sourced with the arguments of the test: source and build directory. Goes to a
# temporary folder of its own, which is removed at the end.
set -uo pipefail
# shellcheck disable=SC2034
source=$1 build=$2 required=${3:-}
lockstep=$build/lockstep
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# shellcheck disable=SC2034
mpi=(mpirun -q --oversubscribe --bind-to none --timeout 60)
quiet=(--set log.progress=none --set log.curves=false --set eval.train=never)

complain() {
  echo "FAILED: $*"
  tail -n 20 "$folder/out" 2> /dev/null
  failures=$((failures + 1))
}

# expect CODE LIMIT_S MESSAGE COMMAND...: ends with this code within so many seconds; of its output one line has the
# message.
expect() {
  local wanted=$1 limit_s=$2 message=$3 code start=$EPOCHREALTIME
  shift 3
  echo "== $*"
  timeout --kill-after=5 "$((limit_s + 30))" "$@" > out 2>&1
  code=$?
  ((code == wanted)) || complain "code $code instead of $wanted: $*"
  grep -qE -- "$message" out || complain "no word of \"$message\": $*"
  awk -v start="$start" -v now="$EPOCHREALTIME" -v limit="$limit_s" 'BEGIN {exit now - start > limit}' ||
    complain "took longer than $limit_s s: $*"
}

hash_of() { sed -n 's/.*"parameters_hash": *"\(.*\)".*/\1/p' "$1/summary.json"; }

# expect_hash RUN HASH
expect_hash() { [[ -n $2 && $(hash_of "$1") == "$2" ]] || complain "$1 has the weights $(hash_of "$1") instead of $2"; }

expect_no_model() { [[ ! -e $1/model.safetensors ]] || complain "$1 has a model"; }

# Waits until the run in folder $1 has written of a step.
await_steps() {
  local i
  for ((i = 0; i < 300; ++i)); do
    grep -qs '"kind":"step"' "$1/metrics.jsonl" && return
    sleep 0.1
  done
  complain "$1 makes no steps"
}

# await_end PROCESS SECONDS: sets `code`; one that is still there is killed.
await_end() {
  local i
  for ((i = 0; i < $2 * 10; ++i)); do
    [[ -e /proc/$1 && $(sed 's/.*) //' "/proc/$1/stat" 2> /dev/null) != Z* ]] && sleep 0.1 || break
  done
  ((i < $2 * 10)) || { complain "process $1 does not end within $2 s" && kill -KILL "$1"; }
  wait "$1" 2> /dev/null
  # shellcheck disable=SC2034
  code=$?
}

# not_tested WHAT WHY: says so; fails if the test was called with --require.
not_tested() {
  echo "NOT TESTED: $1: $2"
  [[ $required != --require ]] || complain "$1 could not be tested: $2"
}

finish() {
  ((failures == 0)) || exit 1
  echo "$1"
}
