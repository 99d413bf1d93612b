#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a supervisor keeps over restarts: when the job began.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
mkdir tmp
export TMPDIR=$folder/tmp
ulimit -c 0
options=(--set model.name=logistic --set "data.train=demo:logistic?rows=5000" --set train.batch=500
  --set train.shuffle=false --set train.steps=40000 --set eval.every=never --set eval.train=never
  --set log.curves=false --set "checkpoint.every=300 steps" --set launch.backoff_s=0.1)
train=("$lockstep" train "${options[@]}" -n 2)

# The pid of rank $2, or -1 for mpirun, of the run in folder $1.
pid_of() {
  local id
  id=$(sed -n 's/.*"id": "\(.*\)",/\1/p' "$1/.launch.json")
  awk -v rank="$2" '$3 == rank { print $1 }' "tmp/lockstep-$id/pids"/* 2> /dev/null
}

# A rank 0 other than $2. shellcheck cannot see that `await` calls it.
# shellcheck disable=SC2317
has_other_rank() { [[ -n $(pid_of "$1" 0) && $(pid_of "$1" 0) != "$2" ]]; }
start_of() { tr '\0' '\n' < "/proc/$1/environ" | sed -n 's/^LOCKSTEP_START=//p'; }

# go_on NAME ARGUMENTS...: in the background, without the lock of this script.
go_on() {
  local name=$1
  shift
  "${train[@]}" "$@" --run-dir "$folder/$name" > out 2>&1 9>&- &
  process=$!
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

finish "a restart knows what was before it"
