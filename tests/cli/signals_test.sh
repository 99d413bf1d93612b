#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A run that is asked to stop saves and ends with 75; one that may not be restarted and loses a rank ends.
set -uo pipefail
build=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir tmp
export TMPDIR=$folder/tmp
failures=0
train=("$build/lockstep" train --set model.name=logistic --set data.train=demo:logistic?rows=5000
  --set train.steps=1000000000 --set checkpoint.every=never)

complain() {
  echo "FAILED: $*"
  cat out
  failures=$((failures + 1))
}

# Waits until the run in folder $1 is under way.
await_steps() {
  for _ in {1..300}; do
    grep -qs "step " "$1/log.txt" && return
    sleep 0.1
  done
  complain "$1 does not start"
}

# Waits for process $1, 30 s at most, and sets `code`.
await_end() {
  for _ in {1..300}; do
    [[ -e /proc/$1 && $(sed 's/.*) //' "/proc/$1/stat" 2> /dev/null) != Z* ]] || break
    sleep 0.1
  done
  [[ -e /proc/$1 && $(sed 's/.*) //' "/proc/$1/stat" 2> /dev/null) != Z* ]] && {
    complain "process $1 does not end"
    kill -KILL "$1"
  }
  wait "$1"
  code=$?
}

expect_no_rank_left() {
  for _ in {1..100}; do
    grep -qas -- "$folder/$1" /proc/[0-9]*/cmdline || return
    sleep 0.1
  done
  complain "ranks of $1 live on"
}

# expect_stop NAME SIGNAL COMMAND...: 75, a checkpoint, and no model.
expect_stop() {
  local name=$1 signal=$2
  shift 2
  echo "== $name: $signal to $*"
  "$@" --run-dir "$folder/$name" > out 2>&1 &
  local process=$!
  await_steps "$name"
  kill "-$signal" $process
  await_end $process
  ((code == 75)) || complain "$name: exit code $code instead of 75"
  compgen -G "$name/checkpoints/step-*/manifest.json" > found || complain "$name: no checkpoint"
  grep -q '"status": "stopped"' "$name/summary.json" || complain "$name: no summary of a stopped run"
  [[ ! -e $name/model.safetensors ]] || complain "$name: a model, though it was stopped"
  ! compgen -G "$name/*.tmp" || complain "$name: half-written files"
  expect_no_rank_left "$name"
}

expect_stop alone-term TERM "${train[@]}"
expect_stop alone-usr1 USR1 "${train[@]}"
expect_stop bare-mpirun USR1 mpirun --oversubscribe --bind-to none --timeout 100 -n 2 "${train[@]}"
expect_stop launched-term TERM "${train[@]}" -n 2
expect_stop launched-int INT "${train[@]}" -n 2
expect_stop more-ranks-than-cores TERM "${train[@]}" -n 3

echo "== a killed rank"
"${train[@]}" -n 2 --no-restart --run-dir "$folder/killed" > out 2>&1 &
process=$!
await_steps killed
for place in /proc/[0-9]*; do
  [[ $(readlink "$place/cwd") == "$folder" ]] || continue
  grep -qasz '^OMPI_COMM_WORLD_RANK=1$' "$place/environ" && rank=${place#/proc/}
done
kill -KILL "${rank:?no rank 1 was found}"
await_end "$process"
((code == 75)) || complain "exit code $code instead of 75"
grep -q "rank 1 was ended by signal 9" out || complain "no word of the lost rank"
expect_no_rank_left killed

echo "== a killed parent: its ranks save and stop"
"${train[@]}" -n 2 --run-dir "$folder/orphaned" > out 2>&1 &
process=$!
await_steps orphaned
kill -KILL "$process"
wait "$process" 2> /dev/null
expect_no_rank_left orphaned
compgen -G "orphaned/checkpoints/step-*/manifest.json" > found || complain "no checkpoint of the orphaned run"
rm -rf "/dev/shm/lockstep-$(sed -n 's/.*"id": "\(.*\)",/\1/p' orphaned/.launch.json)"

((failures == 0)) || exit 1
echo "every stop leaves a checkpoint and no rank"
