#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whatever of a supervised run is killed, the run ends with the model of the undisturbed one and leaves nothing.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
# shellcheck source=tests/support/launched.sh
. "$source/tests/support/launched.sh"
options=("${unevaluated[@]}" --set "data.train=demo:logistic?rows=20000" --set train.batch=2000
  --set train.steps=60000 --set log.hash_every=1000000)
train=("$lockstep" train "${options[@]}")

has_rank() { [[ -n $(pid_of "$1" "$2") ]]; }

# What every run has to come to.
expect_model() {
  ((code == 0)) || complain "$1: exit code $code instead of 0"
  expect_hash "$1" "$golden"
  grep -q '"reason": "finished"' "$1/status.json" || complain "$1: status.json does not say that it is finished"
  expect_nothing_left "$1"
}

expect_nothing_left() {
  local id
  while read -r id; do
    [[ ! -e /dev/shm/lockstep-$id ]] || complain "$1: shared memory stays"
  done < <(sort -u ids)
  ! compgen -G "tmp/lockstep-*" || complain "$1: temporary folders stay"
  ! compgen -G "$1/.launch*" || complain "$1: the supervisor's files stay"
  has_no_process "$folder/$1" || complain "$1: processes live on"
}

# Starts a run in the background, and waits for its first checkpoint.
start() {
  local name=$1
  shift
  "$@" > out 2>&1 &
  process=$!
  await 60 has_checkpoint "$name"
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
  await_end "$process" 60
  expect_model "killed$rank"
  grep -q "signal 9 (Killed); restart 1, resumes from step [1-9]" out || complain "no word of the restart"
  grep -q "; restart 1, resumes from step" "killed$rank/log.txt" || complain "no word of the restart in its log"
  who="rank $rank"
  ((rank >= 0)) || who="the launcher"
  grep -q "$who was ended by signal 9" out || complain "$who is not named"
done

echo "== killed again and again, by launch, on three ranks"
start often "$lockstep" launch -n 3 -- train "${options[@]}" --run-dir "$folder/often"
for restart in 1 2 3; do
  victim=$((restart % 3))
  await 60 has_rank often $victim
  kill -KILL "$(pid_of often $victim)"
  await 60 has_word out "restart $restart"
  sleep 0.5
done
await_end "$process" 300  # three ranks on two cores make few steps
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
await 60 compgen -G "roots/*/checkpoints/step-*"
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
await_end "$process" 60
expect_model double

echo "== a paused rank"
for rank in 0 1; do
  start "paused$rank" "${train[@]}" -n 2 --set comm.timeout_s=2 --run-dir "$folder/paused$rank"
  kill -STOP "$(pid_of "paused$rank" "$rank")"
  await_end "$process" 60
  expect_model "paused$rank"
  grep -q "restart 1" out || complain "no restart after a pause of rank $rank"
done

echo "== a rank paused while MPI starts"
"${train[@]}" -n 2 --set comm.timeout_s=2 --set launch.start_s=3 --set train.steps=1000000000 \
  --run-dir "$folder/early" > out 2>&1 &
process=$!
await 60 has_rank early 1
kill -STOP "$(pid_of early 1)"
await 60 has_word out "restart 1"
await 60 has_checkpoint early
kill -TERM "$process"
await_end "$process" 60
((code == 75)) || complain "early: exit code $code instead of 75"
expect_nothing_left early

echo "== a rank paused when MPI has started, while ranks find each other"
cat > split.c << 'END'
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
int MPI_Comm_split_type(MPI_Comm from, int type, int key, MPI_Info info, MPI_Comm *to) {
  int rank = 0;
  FILE *once = NULL;
  MPI_Comm_rank(from, &rank);
  if (rank == 1 && (once = fopen("paused-once", "wx")) != NULL) fclose(once), raise(SIGSTOP);
  return PMPI_Comm_split_type(from, type, key, info, to);
}
END
if mpicc -shared -fPIC -o split.so split.c > out 2>&1; then
  LD_PRELOAD=$folder/split.so "${train[@]}" -n 2 --set launch.start_s=3 --set train.steps=1000000000 \
    --run-dir "$folder/finding" > out 2>&1 &
  process=$!
  await 60 has_word out "the ranks did not start within 3 s; restart 1"
  [[ -e paused-once ]] || complain "no rank was paused in MPI_Comm_split_type"
  kill -TERM "$process"
  await_end "$process" 60
  ((code == 75)) || complain "finding: exit code $code instead of 75"
  expect_nothing_left finding
else
  not_tested "a pause between MPI_Init and the watchdog" "mpicc cannot make a shared library"
fi

echo "== no progress: all ranks are paused, so no watchdog runs either"
start stuck "${train[@]}" -n 2 --set launch.hang_s=3 --set train.steps=1000000000 --run-dir "$folder/stuck"
expect_hang_found stuck
expect_nothing_left stuck

echo "== data errors are not tried again"
printf '1,2\n1,2,3\n' > bad.csv
"$lockstep" train --set model.name=logistic --set data.train=bad.csv -n 2 --run-dir "$folder/bad" > out 2>&1
code=$?
((code == 65)) || complain "bad data: exit code $code instead of 65"
! grep -q restart out || complain "bad data were tried again"
[[ ! -e bad ]] || complain "bad data left a run directory"

echo "== crash loop: a fault of the program before the first step"
"${train[@]}" --set "data.train=demo:logistic?rows=3000000" -n 2 --run-dir "$folder/loop" > out 2>&1 &
process=$!
victim=
has_next_victim() {
  is_gone "$process" && return
  local pid
  pid=$(pid_of loop 1)
  [[ -n $pid && $pid != "$victim" ]]
}
# Now and then mpirun misses the end of a rank that is just starting. The supervisor then ends it, and calls that no fault.
for ((start = 1; start <= 8; ++start)); do
  await 60 has_next_victim
  ! is_gone "$process" || break
  victim=$(pid_of loop 1)
  kill -SEGV "$victim"
done
await_end "$process" 60
((code == 70)) || complain "crash loop: exit code $code instead of 70"
grep -q "the same failure 2 times in a row" out || complain "no word of the crash loop"
expect_nothing_left loop

echo "== --no-restart"
start left "${train[@]}" -n 2 --no-restart --run-dir "$folder/left"
kill -KILL "$(pid_of left 1)"
await_end "$process" 60
((code == 75)) || complain "--no-restart: exit code $code instead of 75"
grep -q "lockstep resume" out || complain "no word of how to go on"
"$lockstep" resume left -n 2 > out 2>&1 &
process=$!
await 60 has_rank left 1
kill -KILL "$(pid_of left 1)"
await_end "$process" 60
grep -q "restart 1, resumes from step [1-9]" out || complain "a restart of resume does not say where it goes on"
expect_model left

echo "== asked to stop twice"
start twice "${train[@]}" -n 2 --set train.steps=1000000000 --run-dir "$folder/twice"
for rank in 0 1; do kill -STOP "$(pid_of twice $rank)"; done  # saving takes for ever
kill -INT "$process"
sleep 0.2
kill -INT "$process"
await_end "$process" 60
((code == 75)) || complain "stopped twice: exit code $code instead of 75"
expect_nothing_left twice
"$lockstep" checkpoint show twice > out 2>&1 || complain "no checkpoint after two signals"

finish "the same model, whatever was killed"
