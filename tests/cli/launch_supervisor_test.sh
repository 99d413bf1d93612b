#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whatever of a supervised run is killed, the run ends with the model of the undisturbed one and leaves nothing.
set -uo pipefail
build=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
mkdir tmp
export TMPDIR=$folder/tmp
failures=0
id=none
ulimit -c 0
options=(--set model.name=logistic --set "data.train=demo:logistic?rows=20000" --set train.batch=2000
  --set train.shuffle=false --set train.steps=20000 --set eval.every=never --set eval.train=never
  --set log.curves=false --set log.hash_every=1000000 --set "checkpoint.every=300 steps" --set launch.backoff_s=0.1)
train=("$build/lockstep" train "${options[@]}")

complain() {
  echo "FAILED: $*"
  cat out
  failures=$((failures + 1))
}

# Waits, 60 s at most, until the command after the name succeeds.
await() {
  local name=$1
  shift
  for _ in {1..1200}; do
    "$@" > found 2> /dev/null && return
    sleep 0.05
  done
  complain "$name: waited in vain for $*"
}

has_checkpoint() { compgen -G "$1/checkpoints/step-*"; }
has_word() { grep -q -- "$2" "$1"; }
is_gone() { [[ ! -e /proc/$1 || $(sed 's/.*) //' "/proc/$1/stat" 2> /dev/null) == Z* ]]; }

# Waits for process $1, 60 s at most, and sets `code`.
await_end() {
  await "end of $1" is_gone "$1"
  is_gone "$1" || kill -KILL "$1"
  wait "$1"
  code=$?
}

# The pid of rank $2, or -1 for mpirun, of the run in folder $1, whose job it remembers in `id`.
pid_of() {
  id=$(sed -n 's/.*"id": "\(.*\)",/\1/p' "$1/.launch.json")
  awk -v rank="$2" '$3 == rank { print $1 }' "tmp/lockstep-$id/pids"/* 2> /dev/null
}

has_rank() { [[ -n $(pid_of "$1" "$2") ]]; }

hash_of() { sed -n 's/.*"parameters_hash": "\(.*\)".*/\1/p' "$1/summary.json"; }

# What every run has to come to.
expect_model() {
  ((code == 0)) || complain "$1: exit code $code instead of 0"
  [[ $(hash_of "$1") == "$golden" ]] || complain "$1: another model: $(hash_of "$1") instead of $golden"
  grep -q '"reason": "finished"' "$1/status.json" || complain "$1: status.json does not say that it is finished"
  expect_nothing_left "$1"
}

expect_nothing_left() {
  [[ ! -e /dev/shm/lockstep-$id ]] || complain "$1: shared memory stays"
  ! compgen -G "tmp/lockstep-*" || complain "$1: temporary folders stay"
  ! compgen -G "$1/.launch*" || complain "$1: the supervisor's files stay"
  ! grep -qas -- "$folder/$1" /proc/[0-9]*/cmdline || complain "$1: processes live on"
}

# Starts a run in the background, and waits for its first checkpoint.
start() {
  local name=$1
  shift
  "$@" > out 2>&1 &
  process=$!
  await "$name" has_checkpoint "$folder/$name"
  pid_of "$name" 0 > found
}

echo "== undisturbed"
"${train[@]}" -n 2 --run-dir "$folder/golden" > out 2>&1
code=$?
golden=$(hash_of golden)
expect_model golden
! grep -q restart out || complain "restarted without a cause"

for rank in 0 1 -1; do
  echo "== kill -9 of rank $rank"
  start "killed$rank" "${train[@]}" -n 2 --run-dir "$folder/killed$rank"
  kill -KILL "$(pid_of "killed$rank" "$rank")" || complain "no process of rank $rank"
  await_end "$process"
  expect_model "killed$rank"
  grep -q "signal 9 (Killed); restart 1, resumes from step [1-9]" out || complain "no word of the restart"
  who="rank $rank"
  ((rank >= 0)) || who="the launcher"
  grep -q "$who was ended by signal 9" out || complain "$who is not named"
done

echo "== killed again and again, by launch, on three ranks"
start often "$build/lockstep" launch -n 3 -- train "${options[@]}" --run-dir "$folder/often"
for restart in 1 2 3; do
  victim=$((restart % 3))
  await "rank $victim" has_rank often $victim
  kill -KILL "$(pid_of often $victim)"
  await often has_word out "restart $restart"
  sleep 0.5
done
await_end "$process"
expect_model often

echo "== kill -9 of the supervisor, and the same line again"
start orphan "${train[@]}" -n 2 --run-dir "$folder/orphan"
kill -KILL "$process"
wait "$process" 2> /dev/null
"${train[@]}" -n 2 --run-dir "$folder/orphan" > out 2>&1
code=$?
grep -q "goes on with $folder/orphan" out || complain "did not say that it goes on"
expect_model orphan

echo "== the same with a run directory of its own choice, and mpirun killed too"
"${train[@]}" -n 2 --set run.root=roots > out 2>&1 &
process=$!
await chosen compgen -G "roots/*/checkpoints/step-*"
run=$(echo roots/*)
launcher=$(pid_of "$run" -1)
kill -KILL "$process" "$launcher"
wait "$process" 2> /dev/null
"${train[@]}" -n 2 --set run.root=roots > out 2>&1
code=$?
[[ $(echo roots/*) == "$run" ]] || complain "another run directory: $(echo roots/*)"
expect_model "$run"
! compgen -G "roots/.launch*" || complain "the note of the run stays"

echo "== a second supervisor"
start double "${train[@]}" -n 2 --run-dir "$folder/double"
"${train[@]}" -n 2 --run-dir "$folder/double" > second 2>&1
(($? == 73)) || complain "a second supervisor was not refused with 73"
grep -q "is in use by another run" second || complain "the second supervisor was not told why"
await_end "$process"
expect_model double

echo "== a paused rank"
for rank in 0 1; do
  start "paused$rank" "${train[@]}" -n 2 --set comm.timeout_s=2 --run-dir "$folder/paused$rank"
  kill -STOP "$(pid_of "paused$rank" "$rank")"
  await_end "$process"
  expect_model "paused$rank"
  grep -q "restart 1" out || complain "no restart after a pause of rank $rank"
done

echo "== a rank paused while MPI starts"
"${train[@]}" -n 2 --set comm.timeout_s=2 --set launch.start_s=3 --run-dir "$folder/early" > out 2>&1 &
process=$!
await early has_rank early 1
kill -STOP "$(pid_of early 1)"
await_end "$process"
expect_model early
grep -q "restart 1" out || complain "no restart after a pause at the start"

echo "== no progress: all ranks are paused, so no watchdog runs either"
start stuck "${train[@]}" -n 2 --set launch.hang_s=3 --set train.steps=1000000000 --run-dir "$folder/stuck"
await stuck test -e stuck/progress.json
kill -STOP "$(pid_of stuck 0)" "$(pid_of stuck 1)"
await stuck has_word out "no progress for 3 s; restart 1"
kill -TERM "$process"
await_end "$process"
((code == 75)) || complain "stuck: exit code $code instead of 75"
expect_nothing_left stuck

echo "== data errors are not tried again"
printf '1,2\n1,2,3\n' > bad.csv
"$build/lockstep" train --set model.name=logistic --set data.train=bad.csv -n 2 --run-dir "$folder/bad" > out 2>&1
code=$?
((code == 65)) || complain "bad data: exit code $code instead of 65"
! grep -q restart out || complain "bad data were tried again"
[[ ! -e bad ]] || complain "bad data left a run directory"

echo "== crash loop: a fault of the program before the first step"
"${train[@]}" --set "data.train=demo:logistic?rows=3000000" -n 2 --run-dir "$folder/loop" > out 2>&1 &
process=$!
for start in 1 2; do
  await loop has_rank loop 1
  kill -SEGV "$(pid_of loop 1)"
  ((start == 2)) || await loop has_word out "restart 1, begins anew"
  sleep 0.1
done
await_end "$process"
((code == 70)) || complain "crash loop: exit code $code instead of 70"
grep -q "the same failure 2 times in a row" out || complain "no word of the crash loop"
expect_nothing_left loop

echo "== --no-restart"
start left "${train[@]}" -n 2 --no-restart --run-dir "$folder/left"
kill -KILL "$(pid_of left 1)"
await_end "$process"
((code == 75)) || complain "--no-restart: exit code $code instead of 75"
grep -q "lockstep resume" out || complain "no word of how to go on"
"$build/lockstep" resume left -n 2 > out 2>&1
code=$?
expect_model left

echo "== asked to stop twice"
start twice "${train[@]}" -n 2 --set train.steps=1000000000 --run-dir "$folder/twice"
for rank in 0 1; do kill -STOP "$(pid_of twice $rank)"; done  # saving takes for ever
kill -INT "$process"
sleep 0.2
kill -INT "$process"
await_end "$process"
((code == 75)) || complain "stopped twice: exit code $code instead of 75"
expect_nothing_left twice
"$build/lockstep" checkpoint show twice > out 2>&1 || complain "no checkpoint after two signals"

((failures == 0)) || exit 1
echo "the same model, whatever was killed"
