# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# What tests of supervised runs share, sourced behind script.sh: their temporary folder, short steps that need no
# evaluation, and the processes of a run.
mkdir tmp
export TMPDIR=$folder/tmp
ulimit -c 0
: > ids
unevaluated=(--set model.name=logistic --set train.shuffle=false --set eval.every=never --set eval.train=never
  --set log.curves=false --set "checkpoint.every=300 steps" --set launch.backoff_s=0.1)

# The pid of rank $2, or -1 for mpirun, of the run in folder $1, whose job it remembers in `ids`: it may be called in a
# subshell.
pid_of() {
  local id
  id=$(sed -n 's/.*"id": "\(.*\)",/\1/p' "$1/.launch.json")
  echo "$id" >> "$folder/ids"
  awk -v rank="$2" '$3 == rank { print $1 }' "tmp/lockstep-$id/pids"/* 2> /dev/null
}

# expect_hang_found RUN: all of its ranks are paused, so no watchdog runs either; the supervisor of launch.hang_s = 3
# begins anew, and stops when it is asked to.
expect_hang_found() {
  await 60 test -e "$1/progress.json"
  kill -STOP "$(pid_of "$1" 0)" "$(pid_of "$1" 1)"
  await 60 has_word out "no progress for 3 s; restart 1"
  kill -TERM "$process"
  await_end "$process" 60
  ((code == 75)) || complain "$1: exit code $code instead of 75"
}
