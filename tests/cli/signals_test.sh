#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A run that is asked to stop saves and ends with 75; one that may not be restarted and loses a rank ends.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
mkdir tmp
export TMPDIR=$folder/tmp
train=("$lockstep" train --set model.name=logistic --set data.train=demo:logistic?rows=5000
  --set train.steps=1000000000 --set checkpoint.every=never)

# expect_stop NAME SIGNAL COMMAND...: 75, a checkpoint, and no model.
expect_stop() {
  local name=$1 signal=$2
  shift 2
  echo "== $name: $signal to $*"
  "$@" --run-dir "$folder/$name" > out 2>&1 &
  local process=$!
  await_steps "$name"
  kill "-$signal" $process
  await_end $process 30
  ((code == 75)) || complain "$name: exit code $code instead of 75"
  has_checkpoint "$name" > found || complain "$name: no checkpoint"
  grep -q '"status": "stopped"' "$name/summary.json" || complain "$name: no summary of a stopped run"
  expect_no_model "$name"
  ! compgen -G "$name/*.tmp" || complain "$name: half-written files"
  await 10 has_no_process "$folder/$name"
}

expect_stop alone-term TERM "${train[@]}"
expect_stop alone-usr1 USR1 "${train[@]}"
expect_stop bare-mpirun USR1 "${mpi[@]}" -n 2 "${train[@]}"
expect_stop launched-term TERM "${train[@]}" -n 2
expect_stop launched-int INT "${train[@]}" -n 2
expect_stop more-ranks-than-cores TERM "${train[@]}" -n 3

echo "== a killed rank"
"${train[@]}" -n 2 --no-restart --run-dir "$folder/killed" > out 2>&1 &
process=$!
await_steps killed
rank=$(rank_process 1)
kill -KILL "${rank:?no rank 1 was found}"
await_end "$process" 30
((code == 75)) || complain "exit code $code instead of 75"
grep -q "rank 1 was ended by signal 9" out || complain "no word of the lost rank"
await 10 has_no_process "$folder/killed"

echo "== a killed parent: its ranks save and stop"
"${train[@]}" -n 2 --run-dir "$folder/orphaned" > out 2>&1 &
process=$!
await_steps orphaned
kill -KILL "$process"
wait "$process" 2> /dev/null
await 10 has_no_process "$folder/orphaned"
has_checkpoint orphaned > found || complain "no checkpoint of the orphaned run"
rm -rf "/dev/shm/lockstep-$(sed -n 's/.*"id": "\(.*\)",/\1/p' orphaned/.launch.json)"

finish "every stop leaves a checkpoint and no rank"
