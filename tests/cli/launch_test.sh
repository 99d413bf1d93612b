#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# -n P starts mpirun where it is needed, inside another job too; doctor says what the machine offers.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
train=("$lockstep" train --set model.name=logistic --set "data.train=demo:logistic?rows=2000"
  --set train.epochs=2 --set "run.root=run s")

# expect_run RANKS LINE COMMAND...: a run on so many ranks; stderr has (or, after "!", has not) the line.
expect_run() {
  local ranks=$1 line=$2
  shift 2
  echo "== $*"
  rm -rf "run s"
  "$@" > results 2> out || complain "ended with $?: $*"
  grep -q "\"ranks\": $ranks," "run s"/*/summary.json || complain "not on $ranks ranks: $*"
  if [[ $line == !* ]]; then
    ! grep -qF -- "${line#!}" out || complain "said ${line#!}: $*"
  else
    grep -qF -- "$line" out || complain "did not say $line: $*"
  fi
  grep '^parameters_hash' results >> hashes
}

expect_run 1 "!mpirun" "${train[@]}"
expect_run 1 "!mpirun" "${train[@]}" -n 1
expect_run 2 "mpirun -q " "${train[@]}" -n 2
expect_run 2 "-n 2 $lockstep train --set" "${train[@]}" --ranks=2
expect_run 3 "'run.root=run s'" "${train[@]}" -n3
expect_run 2 "!mpirun" "${mpi[@]}" -n 2 "${train[@]}" -n 2
expect_run 2 "mpirun -q " "${mpi[@]}" -n 1 "${train[@]}" -n 2
(($(sort -u hashes | wc -l) == 1)) || complain "more than one parameters_hash: $(cat hashes)"

echo "== one processor for two ranks"
taskset -c "$(taskset -cp $$ | sed 's/.*: *//; s/[-,].*//')" "${train[@]}" -n 2 > results 2> out ||
  complain "two ranks on one processor"
grep -q -- "--oversubscribe --map-by slot --bind-to none" out || complain "two ranks were bound to one core"
grep -q "more ranks than processors" out || complain "no word of too few processors"

echo "== doctor"
"$lockstep" doctor > out 2> line || complain "doctor ended with $?"
grep -q '^mpirun .*doctor' line || complain "doctor does not show what it runs"
for said in "^ok .*Open MPI" "^ok .*mpirun -n 2 works" "2 ranks on 1 node" "/dev/shm" "GEMM: own" "open files"; do
  grep -q -- "$said" out || complain "doctor does not say $said"
done
! grep -qv -E '^(ok  |warning|error) ' out || complain "doctor has lines of another kind"
"${mpi[@]}" -n 3 "$lockstep" doctor > out 2>&1 || complain "doctor under mpirun ended with $?"
(($(grep -c "3 ranks on 1 node" out) == 1)) || complain "doctor under mpirun does not speak once"
PATH=/nowhere "$lockstep" doctor > out 2>&1
(($? == 69)) || complain "doctor without mpirun does not end with 69"
grep -q '^error .*install openmpi-bin' out || complain "doctor does not say what to install"

echo "== -n is meant for this machine, whatever an allocation has"
env SLURM_JOBID=1 SLURM_NODELIST=elsewhere SLURM_TASKS_PER_NODE=1 SLURM_NNODES=1 "$lockstep" train -n 2 \
  --set model.name=logistic --set data.train=demo:logistic --set train.steps=5 --run-dir allocated > out 2>&1 ||
  complain "-n 2 within an allocation of another machine"

finish "ranks start as they should"
