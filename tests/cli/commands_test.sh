#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The subcommands on runs, as a user calls them: results, files and exit codes, on one rank and under mpirun.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
set -e
unset LOCKSTEP__TRAIN__EPOCHS

data="demo:blobs?rows=1003&features=7"
options=(--set "data.train=$data" --set "data.test=$data&part=test" --set model.name=mlp --set model.hidden=8
  --set optim.name=adam --set train.batch=256 --set train.steps=30 --set "checkpoint.every=10 steps"
  --set checkpoint.keep=9 --set checkpoint.background=false --set log.progress=none)

expect 0 parameters_hash "$lockstep" train "${options[@]}" --run-dir run

echo "-- resume"
expect 0 "is finished" "$lockstep" resume run
expect 65 "no such run directory" "$lockstep" resume nothing
cp -r run cut
rm -r cut/model.safetensors cut/summary.json cut/checkpoints/step-000000000030-g0001
truncate -s 300 cut/checkpoints/step-000000000020-g0001/part-000.bin
expect 78 optim.learning_rate "$lockstep" resume cut --set optim.learning_rate=0.7
expect 0 parameters_hash "$lockstep" resume cut -n 3
grep -q "passed over step-000000000020" cut/log.txt
cmp run/model.safetensors cut/model.safetensors
[[ $(grep -c '"kind":"step"' cut/metrics.jsonl) == 30 ]]

echo "-- eval and predict"
expect 0 accuracy "$lockstep" eval run --data "$data&part=test"
expect 0 '"accuracy"' "$lockstep" eval run/model.safetensors --data "$data&part=test" --json -n 2
expect 64 -- "$lockstep" eval run
expect 65 "8 features" "$lockstep" eval run --data "demo:blobs?rows=9&features=8"
expect 65 "no such file" "$lockstep" eval run --data missing.csv
expect 78 "belongs to the model" "$lockstep" eval run --data "$data" --set model.hidden=9
"$lockstep" predict run --data "$data" --out one.csv
"$lockstep" predict run --data "$data" --out - -n 3 >three.csv
cmp one.csv three.csv
[[ $(wc -l <one.csv) == 1004 && $(head -1 one.csv) == class,score,p:0,p:1,p:2 ]]
expect 73 "cannot be written" "$lockstep" predict run --data "$data" --out nowhere/out.csv

echo "-- replay"
{
  echo x,label
  for i in $(seq 400); do echo "0.$((i % 7)),0.$((i == 333 ? 9000 : i % 7))" | sed "s/,0.9000/,9000/"; done
} >spike.csv
expect 79 "train.on_spike" "$lockstep" train --set data.train=spike.csv --set model.name=linear --set train.batch=8 \
  --set train.shuffle=false --set train.spike_window=20 --set train.on_spike=stop --run-dir spiked -n 2
expect 0 "the run had the same loss" "$lockstep" replay spiked
grep -q "^ *333 " out
expect 65 "has no dump" "$lockstep" replay run

echo "-- verify"
expect 0 "^equal: " "$lockstep" verify "${options[@]}" --ranks 1,2,3 --steps 5
expect 76 "differ after step" "$lockstep" verify "${options[@]}" --ranks 1,3 --steps 5 \
  --set train.reduction=mpi --set train.shards=16
expect 64 "two numbers" "$lockstep" verify "${options[@]}" --ranks 2
expect 65 "no such file" "$lockstep" verify "${options[@]}" --set data.train=missing.csv --ranks 1,2

echo "-- checkpoint"
cp -r run torn
truncate -s -1 torn/checkpoints/step-000000000030-g0001/part-000.bin
expect 0 "layer0.weight *7 × 8 *norm" "$lockstep" checkpoint show run
expect 0 "model.safetensors: ok" "$lockstep" checkpoint verify run cut
expect 0 "^equal" "$lockstep" checkpoint diff run cut
expect 0 "^equal" "$lockstep" checkpoint diff run/model.safetensors cut/model.safetensors
expect 76 "state step: 10 -> 20" "$lockstep" checkpoint diff run/checkpoints/step-0000000000{10,20}-g0001
printf x | dd of=cut/model.safetensors bs=1 seek=$(($(stat -c %s cut/model.safetensors) - 2)) conv=notrunc status=none
expect 65 "damaged" "$lockstep" checkpoint verify cut
expect 65 "no such file" "$lockstep" checkpoint show nothing
expect 0 "step-000000000030" "$lockstep" checkpoint export run --out exported.safetensors
expect 0 "^equal" "$lockstep" checkpoint diff run exported.safetensors
expect 65 "is truncated or damaged" "$lockstep" checkpoint verify torn

echo "-- report"
expect 0 "run/report.html" "$lockstep" report run
grep -q 'id="run-cost"' run/report.html
expect 0 "both.html" "$lockstep" report run cut --out both.html
expect 0 "cost.svg" "$lockstep" report run --picture run-cost --out cost.svg
expect 64 "this report has run-cost" "$lockstep" report run --picture nothing
expect 65 "no such run directory" "$lockstep" report nothing
expect 73 "cannot be" "$lockstep" report run --out nowhere/report.html

echo "-- folds"
expect 0 "valid.accuracy .* ± " "$lockstep" train "${options[@]}" --folds 3 --run-dir folds
[[ -s folds/folds.json && -s folds/fold-2/model.safetensors ]]
expect 0 "valid.accuracy .* ± " "$lockstep" resume folds
expect 73 "not empty" "$lockstep" train "${options[@]}" --folds 3 --run-dir folds
expect 0 "2 folds" "$lockstep" train "${options[@]}" --folds 2 --run-dir folds --overwrite
expect 78 "data.valid" "$lockstep" train "${options[@]}" --folds 2 --set data.valid=split:0.1
expect 64 "folds" "$lockstep" train "${options[@]}" --folds 1
