#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a supervisor keeps over restarts: when the job began; and that the run may still be locked by ranks it
# started before.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
# shellcheck source=tests/support/launched.sh
. "$source/tests/support/launched.sh"
options=("${unevaluated[@]}" --set "data.train=demo:logistic?rows=5000" --set train.batch=500 --set train.steps=40000)
train=("$lockstep" train "${options[@]}" -n 2)

# A rank 0 other than $2. shellcheck cannot see that `await` calls it.
# shellcheck disable=SC2317
has_other_rank() {
  local pid
  pid=$(pid_of "$1" 0)
  [[ -n $pid && $pid != "$2" ]]
}
start_of() { tr '\0' '\n' < "/proc/$1/environ" | sed -n 's/^LOCKSTEP_START=//p'; }

# go_on NAME ARGUMENTS...: in the background, without the lock of this script.
go_on() {
  local name=$1
  shift
  "${train[@]}" "$@" --run-dir "$folder/$name" > out 2>&1 9>&- &
  process=$!
}

# A run of which all was killed, and whose lock is held by somebody else: this script.
leave() {
  echo "== $1"
  go_on "$@"
  await 60 has_checkpoint "$1"
  local killed=("$process" "$(pid_of "$1" -1)" "$(pid_of "$1" 0)" "$(pid_of "$1" 1)") one
  kill -KILL "${killed[@]}" || complain "$1: not all could be killed: ${killed[*]}"
  wait "$process" 2> /dev/null
  for one in "${killed[@]}"; do await 20 is_gone "$one"; done
  exec 9<> "$1/.lock"
  flock -n 9 || complain "$1: the lock is still held"
}

expect_model() {
  ((code == 0)) || complain "$1: exit code $code instead of 0"
  expect_hash "$1" "$golden"
}

echo "== undisturbed"
go_on golden
await_end "$process" 60
golden=$(hash_of golden)
expect_model golden

echo "== the time of a job begins once"
unset LOCKSTEP_START SLURM_JOB_START_TIME
begin=$EPOCHSECONDS
go_on once --set train.steps=1000000000
await 60 has_checkpoint once
first=$(pid_of once 0)
start=$(start_of "$first")
[[ $start == [1-9]* ]] || complain "ranks are not told when the job began"
((${start%.*} >= begin - 1 && ${start%.*} <= EPOCHSECONDS)) || complain "the job began at $start, not after $begin"
kill -KILL "$(pid_of once 1)"
await 60 has_other_rank once "$first"
second=$(start_of "$(pid_of once 0)")
[[ $second == "$start" ]] || complain "restarted ranks count from $second instead of $start"
kill -TERM "$process"
await_end "$process" 60
((code == 75)) || complain "once: exit code $code instead of 75"

leave locked --set launch.hang_s=1
go_on locked --set launch.hang_s=1
await 60 has_word out "waits up to 600 s for the lock of $folder/locked"
exec 9>&-
await_end "$process" 60
expect_model locked
(($(grep -c "waits up to" out) == 1)) || complain "the wait is not told of once"

leave asked
go_on asked
await 60 has_word out "waits up to"
kill -INT "$process"
await_end "$process" 60
((code == 75)) || complain "stopped while it waits: exit code $code instead of 75"
exec 9>&-
"$lockstep" resume asked -n 2 > out 2>&1
code=$?
expect_model asked

leave longer --set launch.wait_s=0.2 --set launch.repeats=1000
go_on longer --set launch.wait_s=0.2 --set launch.repeats=1000
await 60 has_word out "held by an earlier start of this job; restart 1"
exec 9>&-
await_end "$process" 60
expect_model longer

leave forever --set launch.wait_s=0.2 --set launch.repeats=2
go_on forever --set launch.wait_s=0.2 --set launch.repeats=2
await_end "$process" 60
((code == 75)) || complain "locked for ever: exit code $code instead of 75"
has_word out "the same failure 2 times in a row" || complain "no word of why it ends"
exec 9>&-

finish "a restart knows what was before it"
