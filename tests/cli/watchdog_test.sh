#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Under a real mpirun: a rank that stands still is named and the run ends with 75, even if mpirun stands still
# too; one that goes on in time changes nothing.
set -uo pipefail
build=$2
folder=$(mktemp -d)
cd "$folder"
failures=0
stopped=()
trap 'for process in "${stopped[@]}"; do kill -KILL "$process"; done 2> /dev/null; rm -rf "$folder"' EXIT
mpi=(mpirun -q --oversubscribe --bind-to none --timeout 100 -n 2)
train=("$build/lockstep" train --set model.name=logistic --set data.train=demo:logistic?rows=5000
  --set checkpoint.every=never --set comm.stall_s=4)

complain() {
  echo "FAILED: $*"
  cat out
  failures=$((failures + 1))
}

now_ms() { date +%s%3N; }

# Waits until the run in folder $1 is under way.
await_steps() {
  for _ in {1..300}; do
    grep -qs "step " "$1/log.txt" && return
    sleep 0.1
  done
  complain "$1 does not start"
}

# The process of rank $1.
rank_process() {
  local place
  for place in /proc/[0-9]*; do
    [[ $(readlink "$place/cwd") == "$folder" ]] || continue
    grep -qasz "^OMPI_COMM_WORLD_RANK=$1\$" "$place/environ" && echo "${place#/proc/}"
  done
}

# Waits until process $1 is gone or a zombie, $2 s at most.
await_end() {
  for ((i = 0; i < $2 * 20; ++i)); do
    [[ -e /proc/$1 && $(sed 's/.*) //' "/proc/$1/stat" 2> /dev/null) != Z* ]] || return 0
    sleep 0.05
  done
  return 1
}

# start NAME COMMAND...: a run that goes on for ever; sets process and rank.
start() {
  local name=$1
  shift
  echo "== $name"
  "$@" --set train.steps=1000000000 --run-dir "$folder/$name" > out 2>&1 &
  process=$!
  await_steps "$name"
  mapfile -t rank < <(rank_process 0; rank_process 1)
  ((${#rank[@]} == 2)) || complain "$name: ranks ${rank[*]}"
}

expect_report() {
  grep -q "late: rank 1 on .*, process ${rank[1]}: does not run" out || complain "$1: the report does not name rank 1"
  grep -q "warning: no rank of .* has moved for [0-9]* s" out || complain "$1: no warning before the end"
  grep -q "rank 0 on .* ends with code 75" "$1/stall-0.txt" || complain "$1: no stall-0.txt"
  grep -q "^stack (state" "$1/stall-0.txt" || complain "$1: no stack"
  (($(grep -c 'lockstep\|libc' "$1/stall-0.txt") > 3)) || complain "$1: the stack is empty"
}

for way in stopped launched; do
  command=("${mpi[@]}" "${train[@]}") most=7500
  [[ $way == launched ]] && command=("${train[@]}" -n 2 --no-restart) most=9000  # where mpirun leaves ranks two seconds and not one
  start "$way" "${command[@]}"
  begin=$(now_ms)
  kill -STOP "${rank[1]}"
  await_end "$process" 20 || complain "$way: does not end"
  wait "$process"
  code=$?
  took=$(($(now_ms) - begin))
  echo "ended with $code after $took ms"
  ((code == 75)) || complain "$way: exit code $code instead of 75"
  ((took >= 4000 && took < most)) || complain "$way: ended after $took ms"
  expect_report "$way"
  await_end "${rank[1]}" 5 || complain "$way: rank 1 lives on"
done

start "launcher-stopped" "${mpi[@]}" "${train[@]}"
stopped=("$process" "${rank[1]}")
kill -STOP "$process" "${rank[1]}"
await_end "${rank[0]}" 7 || complain "with mpirun stopped rank 0 does not end"
grep -q "late: rank 1 on .*, process ${rank[1]}" launcher-stopped/stall-0.txt || complain "no report in the run directory"
kill -KILL "${rank[1]}"
kill -CONT "$process"
await_end "$process" 20 || complain "mpirun does not end"
wait "$process"
stopped=()

echo "== a short stop"
short=(--set train.steps=40000 --set eval.train=never)
"${mpi[@]}" "${train[@]}" "${short[@]}" --run-dir "$folder/whole" > out 2>&1 || complain "the undisturbed run ends with $?"
"${mpi[@]}" "${train[@]}" "${short[@]}" --run-dir "$folder/paused" > out 2>&1 &
process=$!
await_steps paused
mapfile -t rank < <(rank_process 1)
kill -STOP "${rank[0]:?no rank 1 was found}"
sleep 2
kill -CONT "${rank[0]}"
wait "$process" || complain "the run that was paused ends with $?"
grep -q "warning: no rank of .* has moved for [0-9]* s.*late: rank 1 on .*, process ${rank[0]}" out || complain "no warning"
grep -q "move again after" out || complain "no word that it goes on"
[[ ! -e paused/stall-0.txt ]] || complain "a report of a stall"
hash_of() { grep -o '"parameters_hash": *"[0-9a-f]*"' "$1/summary.json"; }
[[ -n $(hash_of whole) && $(hash_of whole) == "$(hash_of paused)" ]] || complain "another hash after a pause"
grep -q '"generation":1,"step":[0-9]*,"phase":"[a-z-]*","pid":[0-9]*,"host":' paused/progress.json ||
  complain "no progress.json"

echo "== mpirun killed: the ranks save and end"
start "orphans" "${mpi[@]}" "${train[@]}"
kill -KILL "$process"
wait "$process" 2> /dev/null
for one in "${rank[@]}"; do await_end "$one" 15 || complain "rank $one lives on without mpirun"; done

echo "== SIGUSR2 asks where the ranks are"
start "asked" "${mpi[@]}" "${train[@]}"
kill -USR2 "$process"
sleep 2
kill -USR1 "$process"
await_end "$process" 20 || complain "does not end"
wait "$process"
code=$?
((code == 75)) || complain "asked: exit code $code instead of 75"
(($(grep -c "asked by SIGUSR2" out) == 2)) || complain "SIGUSR2 is not answered by two ranks"

((failures == 0)) || exit 1
echo "nothing stands still for long"
