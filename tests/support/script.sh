# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# What test scripts share. Sourced with the arguments of the test, SOURCE BUILD [--require], it goes to a temporary
# folder, which is removed at the end. Complaints are counted, and `finish` ends the script; after `set -e` the first
# one ends it. What is tried writes to `out`, whose end a complaint shows.
set -uo pipefail
source=$1 build=$2 required=${3:-}
lockstep=$build/lockstep
folder=$(mktemp -d)
cd "$folder" || exit 1
failures=0
code=0
shown=("$folder/out")
mpi=(mpirun -q --oversubscribe --bind-to none --timeout 100)
quiet=(--set log.progress=none --set log.curves=false --set eval.train=never)
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

# A script that has more to end than its children defines this anew.
clean_up() { :; }
trap 'clean_up; rm -rf "$folder"' EXIT
trap '[[ $- != *e* ]] || echo "FAILED: line $LINENO: $BASH_COMMAND"' ERR

complain() {
  echo "FAILED: $*"
  tail -n 40 "${shown[@]}" 2> /dev/null | cut -c 1-300
  failures=$((failures + 1))
  [[ $- != *e* ]] || exit 1
}

# not_tested WHAT WHY: says so; fails if the test was called with --require.
not_tested() {
  echo "NOT TESTED: $1: $2"
  [[ $required != --require ]] || complain "$1 could not be tested: $2"
}

# finish SENTENCE: what has been shown, if it has.
finish() {
  ((failures == 0)) || exit 1
  echo "$1"
  exit
}

# give_up WHAT WHY: nothing can be tested.
give_up() {
  not_tested "$@"
  finish "nothing was tested"
}

# expect CODE PATTERN COMMAND...: the exit code, and a pattern in all that is printed.
expect() {
  local wanted=$1 pattern=$2
  shift 2
  echo "== $*"
  code=0
  "$@" > "$folder/out" 2>&1 || code=$?
  ((code == wanted)) || complain "code $code instead of $wanted: $*"
  grep -q -- "$pattern" "$folder/out" || complain "no word of \"$pattern\": $*"
}

# expect_within SECONDS CODE PATTERN COMMAND...
expect_within() {
  local limit_s=$1 start
  shift
  start=$(now_ms)
  expect "$1" "$2" timeout --kill-after=5 "$((limit_s + 30))" "${@:3}"
  (($(now_ms) - start <= limit_s * 1000)) || complain "took longer than $limit_s s: ${*:3}"
}

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# await SECONDS COMMAND...: until it succeeds.
await() {
  local limit_s=$1 end=$(($(now_ms) + $1 * 1000))
  shift
  until "$@" > /dev/null 2>&1; do
    (($(now_ms) < end)) || { complain "waited $limit_s s in vain for $*" && return; }
    sleep 0.05
  done
}

# The end of process $1, maybe not yet waited for.
is_gone() { [[ ! -e /proc/$1 || $(sed 's/.*) //' "/proc/$1/stat" 2> /dev/null) == Z* ]]; }

# await_end CHILD SECONDS: sets `code`; one that is still there is killed.
await_end() {
  await "$2" is_gone "$1"
  is_gone "$1" || kill -KILL "$1"
  code=0
  wait "$1" 2> /dev/null || code=$?
}

has_word() { grep -q -- "$2" "$1"; }

# What is known of the run in folder $1.
has_steps() { has_word "$1/metrics.jsonl" '"kind":"\(step\|hash\)"'; }
has_checkpoint() { compgen -G "$1/checkpoints/step-*/manifest.json"; }
has_no_process() { ! grep -qas -- "$1" /proc/[0-9]*/cmdline; }
hash_of() { sed -n 's/.*"parameters_hash": *"\(.*\)".*/\1/p' "$1/summary.json"; }
await_steps() { await 30 has_steps "$1"; }
expect_no_model() { [[ ! -e $1/model.safetensors ]] || complain "$1 has a model"; }

# expect_hash RUN HASH
expect_hash() { [[ -n $2 && $(hash_of "$1") == "$2" ]] || complain "$1 has the weights $(hash_of "$1") instead of $2"; }

# The process of rank $1 among those that mpirun started in this folder.
rank_process() {
  local place
  for place in /proc/[0-9]*; do
    [[ $(readlink "$place/cwd") == "$PWD" ]] || continue
    ! grep -qasz "^OMPI_COMM_WORLD_RANK=$1\$" "$place/environ" || echo "${place#/proc/}"
  done
}
