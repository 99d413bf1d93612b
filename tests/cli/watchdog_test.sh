#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Under a real mpirun: a rank that stands still is named and the run ends with 75, even if mpirun stands still
# too; one that goes on in time changes nothing.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
stopped=()
clean_up() { for process in "${stopped[@]}"; do kill -KILL "$process"; done 2> /dev/null; }
mpi+=(-n 2)
train=("$lockstep" train --set model.name=logistic --set data.train=demo:logistic?rows=5000
  --set checkpoint.every=never --set comm.stall_s=4)

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
  command=("${mpi[@]}" "${train[@]}") most=10000
  [[ $way == launched ]] && command=("${train[@]}" -n 2 --no-restart) most=11000  # where mpirun leaves ranks two seconds and not one
  start "$way" "${command[@]}"
  begin=$(now_ms)
  kill -STOP "${rank[1]}"
  await_end "$process" 20
  took=$(($(now_ms) - begin))
  echo "ended with $code after $took ms"
  ((code == 75)) || complain "$way: exit code $code instead of 75"
  ((took >= 4000 && took < most)) || complain "$way: ended after $took ms"
  expect_report "$way"
  await 5 is_gone "${rank[1]}"
done

start "launcher-stopped" "${mpi[@]}" "${train[@]}"
stopped=("$process" "${rank[1]}")
kill -STOP "$process" "${rank[1]}"
await 7 is_gone "${rank[0]}"
grep -q "late: rank 1 on .*, process ${rank[1]}" launcher-stopped/stall-0.txt || complain "no report in the run directory"
kill -KILL "${rank[1]}"
kill -CONT "$process"
await_end "$process" 20
stopped=()

echo "== a short stop"
short=(--set train.steps=100000 --set eval.train=never)
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
expect_hash paused "$(hash_of whole)"
grep -q '"generation":1,"step":[0-9]*,"phase":"[a-z-]*","pid":[0-9]*,"host":' paused/progress.json ||
  complain "no progress.json"

echo "== mpirun killed: the ranks save and end"
start "orphans" "${mpi[@]}" "${train[@]}"
kill -KILL "$process"
wait "$process" 2> /dev/null
for one in "${rank[@]}"; do await 15 is_gone "$one"; done

echo "== SIGUSR2 asks where the ranks are"
start "asked" "${mpi[@]}" "${train[@]}"
kill -USR2 "$process"
sleep 2
kill -USR1 "$process"
await_end "$process" 20
((code == 75)) || complain "asked: exit code $code instead of 75"
(($(grep -c "asked by SIGUSR2" out) == 2)) || complain "SIGUSR2 is not answered by two ranks"

finish "nothing stands still for long"
