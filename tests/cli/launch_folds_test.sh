#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A supervised cross-validation stops when it is asked to or its time is over, is not restarted then, and comes to
# the undisturbed result when it is resumed; one that is killed or hangs is restarted.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
# shellcheck source=tests/support/launched.sh
. "$source/tests/support/launched.sh"
options=("${unevaluated[@]}" --set "data.train=demo:logistic?rows=5000" --set train.batch=500 --set train.steps=40000)
train=("$lockstep" train "${options[@]}" --folds 2 -n 2)

hashes_of() { hash_of "$1/fold-0"; hash_of "$1/fold-1"; }

# start NAME FOLD ARGUMENTS...: in the background, until this fold has a checkpoint.
start() {
  local name=$1 fold=$2
  shift 2
  echo "== $name"
  "${train[@]}" "$@" --run-dir "$folder/$name" > out 2>&1 &
  process=$!
  await 60 has_checkpoint "$name/fold-$fold"
}

expect_stopped() {
  ((code == 75)) || complain "$1: exit code $code instead of 75"
  ! grep -q "restart" out || complain "$1: restarted though it was stopped"
  grep -q "stopped at step" out || complain "$1: no word of the stop"
  has_word "$1/status.json" '"reason": "stopped"' || complain "$1: status.json does not say that it is stopped"
}

expect_finished() {
  ((code == 0)) || complain "$1: exit code $code instead of 0"
  [[ $(hashes_of "$1") == "$golden" ]] || complain "$1: other models"
  cmp -s "$1/folds.json" golden/folds.json || complain "$1: another folds.json"
  has_word "$1/status.json" '"reason": "finished"' || complain "$1: status.json does not say that it is finished"
}

resume() {
  "$lockstep" resume "$1" -n 2 --set train.time_limit=never > out 2>&1
  code=$?
  expect_finished "$1"
}

echo "== undisturbed"
"${train[@]}" --run-dir "$folder/golden" > out 2>&1
code=$?
golden=$(hashes_of golden)
[[ $golden == *?$'\n'?* ]] || complain "no two models"
expect_finished golden

for fold in 0 1; do
  start "asked$fold" "$fold"
  launcher=$(pid_of "asked$fold" -1)
  kill -USR1 "$launcher" || complain "no launcher"  # as a batch system does: the supervisor knows nothing of it
  await_end "$process" 60
  expect_stopped "asked$fold"
  resume "asked$fold"
done

echo "== the time is over"
LOCKSTEP_START=$(($(date +%s) - 100)) "${train[@]}" --set train.time_limit=50s --run-dir "$folder/late" > out 2>&1
code=$?
expect_stopped late
resume late

start killed 1
kill -KILL "$(pid_of killed 1)" || complain "no process of rank 1"
await_end "$process" 60
has_word out "signal 9 (Killed); restart 1, resumes from step [1-9]" || complain "no word of the restart"
expect_finished killed

start stuck 0 --set launch.hang_s=3 --set train.steps=1000000000
expect_hang_found stuck

finish "folds stop, and go on, like any run"
