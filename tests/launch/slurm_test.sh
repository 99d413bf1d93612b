#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# slurm_test.sh SOURCE BUILD [--require]
#
# The batch scripts under a real Slurm of two nodes on this machine. A job that is told to save is queued again, one that
# loses a rank starts its ranks again, and both end with the model of the undisturbed run. Where Slurm cannot be started the test says why; with
# --require it fails then.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
source "$source/tests/launch/slurm_cluster.sh"
clean_up() { stop_slurm; }

obstacle=$(slurm_obstacle)
[[ -z $obstacle ]] || give_up Slurm "$obstacle"
start_slurm "$folder" 2 > started 2>&1 || give_up Slurm "$(cat started)"
mkdir work
cd work || exit 1
export LOCKSTEP=$lockstep
# All ranks share few cores here; between nodes Open MPI does not know it.
export OMPI_MCA_mpi_yield_when_idle=1

train=(--set model.name=mlp --set model.hidden=120,90 --set "data.train=demo:blobs?rows=3000&features=50&classes=6"
  --set train.batch=250 --set train.shards=8 --set log.progress=none --set eval.train=never --set log.curves=false)
state_of() { scontrol show job "$1" 2> /dev/null | sed -n "s/.*$2=\([^ ]*\).*/\1/p" | head -n 1; }

has_state() { [[ $(state_of "$job" JobState) == "$1" ]]; }

# submit SCRIPT ARGUMENT...: sets `job`, and `run`, its folder.
submit() {
  job=$(sbatch --parsable --nodes=2 --ntasks-per-node=1 --time=5 "$@" 2> "$folder/out") || complain "sbatch: $*"
  run=runs/slurm-$job shown=("$folder/out" "lockstep-$job.log")
}

# Waits for the end of the job, 90 s at most.
await_job() {
  for _ in {1..900}; do
    case $(state_of "$job" JobState) in COMPLETED) return ;; FAILED | CANCELLED | TIMEOUT | NODE_FAIL) break ;; esac
    sleep 0.1
  done
  complain "job $job is $(state_of "$job" JobState)"
}

expect_model() {
  expect_hash "$run" "$(hash_of "$1")"
  grep -q '"ranks": 2,' "$run/summary.json" || complain "job $job was not on two ranks"
}

echo "== a job that is left alone"
"$LOCKSTEP" train "${train[@]}" --set train.steps=200 --run-dir short > "$folder/out" 2>&1 || complain "one rank"
submit "$source/launch/slurm/train.sbatch" "${train[@]}" --set train.steps=200
await_job
expect_model short
(($(state_of "$job" Restarts) == 0)) || complain "was queued again for nothing"

long=("${train[@]}" --set train.steps=6000 --set checkpoint.every="50 steps")
"$LOCKSTEP" train "${long[@]}" --run-dir long > "$folder/out" 2>&1 || complain "one rank"

echo "== SIGUSR1, as Slurm sends it before the time is up"
submit "$source/launch/slurm/train.sbatch" "${long[@]}"
await_steps "$run"
scancel --signal=USR1 "$job"
await_job
expect_model long
(($(state_of "$job" Restarts) == 1)) || complain "was queued again $(state_of "$job" Restarts) times instead of once"
grep -q "stopped at step" "lockstep-$job.log" || complain "the ranks did not save"
grep -q "resumes from" "$run/log.txt" || complain "did not resume"

echo "== a rank killed"
submit "$source/launch/slurm/train.sbatch" "${long[@]}"
await 30 has_checkpoint "$run"
for place in /proc/[0-9]*; do
  tr '\0' '\n' 2> /dev/null < "$place/environ" | grep -qx "SLURM_JOB_ID=$job" || continue
  [[ $(readlink "$place/exe") == "$(realpath "$LOCKSTEP")" ]] || continue
  tr '\0' '\n' 2> /dev/null < "$place/environ" | grep -qx SLURM_PROCID=1 && victim=${place#/proc/}
done
kill -KILL "${victim:?no rank 1 was found}"
await_job
expect_model long
(($(state_of "$job" Restarts) == 0)) || complain "was queued again, though its nodes are there"
grep -q "restart 1, resumes from step" "lockstep-$job.log" || complain "the ranks were not started again"

echo "== a mistake is not tried again"
submit "$source/launch/slurm/train.sbatch" --set model.name=linear --set data.train=absent.csv
await 30 has_state FAILED
[[ $(state_of "$job" ExitCode) == 65:0 ]] || complain "exit code $(state_of "$job" ExitCode) instead of 65"

echo "== a scaling study"
submit "$source/launch/slurm/scaling.sbatch" "${train[@]}" --milliseconds 200
await_job
cat "lockstep-scaling-$job.log"
for line in "strong +1 +1 " "strong +2 +2 " "weak +1 +1 " "weak +2 +2 "; do
  grep -qE "^$line" "lockstep-scaling-$job.log" || complain "the study has no line $line"
done

finish "Slurm's jobs resume with the same bits"
