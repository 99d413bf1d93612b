#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Studies as a user calls them: all combinations, each an ordinary run directory; killed and continued; members
# that diverge, fail or never reach the target.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
set -e

# check STUDY EXPRESSION: a Python expression over study.json as `s` and its members by name as `m`.
check() {
  python3 - "$1" "$2" <<'PYTHON'
import json, sys
s = json.load(open(sys.argv[1] + "/study.json"))
m = {one["name"]: one for one in s["members"]}
assert eval(sys.argv[2]), sys.argv[2]
PYTHON
}

cat >base.toml <<'TOML'
[data]
train = "demo:logistic?rows=2000&features=6&noise=0.1"
valid = "split:0.2"
[model]
name = "logistic"
[train]
epochs = 2
target = "valid.accuracy >= 0.85"
[study]
batches = ["full", 64, 1]
rates = [0.5]
ranks = [1, 2]
budget = "20s"
[study.vary]
"optim.name" = ["sgd", "adam"]
TOML

echo "-- every combination is a run"
expect 0 "12 of 12 members ended; best: " "$lockstep" study -c base.toml --run-dir all
check all 's["schema"] == "lockstep.study/1" and len(m) == 12 and sum(one["status"] == "target" for one in s["members"]) >= 8'
check all 'all((one["status"] == "target") == (one["time_to_target_s"] is not None) for one in s["members"])'
check all 's["axes"]["train.batch"] == ["full", 64, 1] and s["axes"]["optim.name"] == ["sgd", "adam"]'
check all 's["target"] == {"metric": "valid.accuracy", "at_least": True, "value": 0.85} and s["found"]["member"] in m'
check all 'm["batch-1-rate-0.5-name-sgd-ranks-1"]["steps"] == m["batch-1-rate-0.5-name-sgd-ranks-2"]["steps"]'
expect 0 parameters_hash "$lockstep" train -c all/members/batch-64-rate-0.5-name-adam-ranks-2/config.toml --run-dir again
cmp again/model.safetensors all/members/batch-64-rate-0.5-name-adam-ranks-2/model.safetensors
expect 0 "12 of 12" "$lockstep" study --resume --run-dir all
[[ -s all/report.html ]]
python3 - <<'PYTHON'
import json
scape = json.load(open("all/landscape.json"))
assert sorted(path["regime"] for path in scape["paths"]) == ["full", "mini-batch", "single rows"], scape["paths"]
assert not scape["exact"] and 0 < scape["explained"] <= 1 and len(scape["axes"]) == 2
assert len(scape["x"]) == len(scape["y"]) == len(scape["loss"]) == 25 and all(len(row) == 25 for row in scape["loss"])
for path in scape["paths"]:
    steps = [point[2] for point in path["points"]]
    assert steps == sorted(steps)
    for x, y, _ in path["points"]:
        assert scape["x"][0] <= x <= scape["x"][-1] and scape["y"][0] <= y <= scape["y"][-1]
PYTHON
check all 'all(one["limit_share"] > 0 for one in s["members"])'
expect 78 "another study: there study.rates = \[0.5\], here study.rates = \[0.3\]" \
  "$lockstep" study -c base.toml --run-dir all --rates 0.3
expect 73 "holds no study" "$lockstep" study -c base.toml --run-dir again
expect 65 "no study to resume" "$lockstep" study --resume --run-dir nothing

echo "-- killed in the middle, continued to the same models"
slow=(-c base.toml --rates 0.5,0.01 --batches 16 --ranks 1,2 --set train.target= --set train.epochs=300
  --set "checkpoint.every=2000 steps" --vary "optim.name=sgd" --budget 1000h)
expect 0 "4 of 4" "$lockstep" study "${slow[@]}" --run-dir whole
"$lockstep" study "${slow[@]}" --run-dir killed >killed.txt 2>&1 &
victim=$!
await 9 compgen -G "killed/members/*ranks-2/checkpoints/step-*"
kill -KILL $victim
wait $victim || true
finished=$(compgen -G "killed/members/*/model.safetensors" | head -1)
before=$(stat -c %Y%i "$finished")
[[ $(compgen -G "killed/members/*/model.safetensors" | wc -l) -lt 4 ]]
expect 0 "4 of 4" "$lockstep" study "${slow[@]}" --run-dir killed
[[ $(stat -c %Y%i "$finished") == "$before" ]]
for run in whole/members/*; do cmp "$run/model.safetensors" "killed/members/${run##*/}/model.safetensors"; done

echo "-- asked to stop"
"$lockstep" study "${slow[@]}" --run-dir stopped >stopped.txt 2>&1 &
victim=$!
await 9 has_checkpoint "stopped/members/*"
kill -TERM $victim
await_end $victim 60
cat stopped.txt
[[ $code == 75 ]] && grep -q "continues" stopped.txt

echo "-- in groups of the ranks of one job, to the same models"
mpi=(--mca btl_vader_single_copy_mechanism none --oversubscribe --timeout 60)
expect 78 "wants 2 ranks; this job has 1" mpirun "${mpi[@]}" -n 1 "$lockstep" study "${slow[@]}" --run-dir few
expect 0 "4 of 4" mpirun "${mpi[@]}" -n 3 "$lockstep" study "${slow[@]}" --run-dir groups
for run in whole/members/*; do cmp "$run/model.safetensors" "groups/members/${run##*/}/model.safetensors"; done
expect 0 "4 of 4" mpirun "${mpi[@]}" -n 2 "$lockstep" study --resume --run-dir groups

echo "-- divergence, an unreachable target, a combination that cannot be"
linear=(--set "data.train=demo:linear?rows=500&features=4" --set model.name=linear --set train.epochs=20
  --set data.valid=split:0.2 --set "train.target=valid.rmse <= 0")
expect 0 "no member reached valid.rmse <= 0" \
  "$lockstep" study "${linear[@]}" --batches 50 --rates 0.1,100 --budget 10s --run-dir wild
check wild 'm["batch-50-rate-0.1"]["status"] == "finished" and m["batch-50-rate-100.0"]["status"] == "diverged"'
check wild 's["found"] is None and m["batch-50-rate-0.1"]["time_to_target_s"] is None'
grep -q '"status": "diverged"' wild/members/batch-50-rate-100.0/summary.json
[[ ! -e wild/members/batch-50-rate-100.0/model.safetensors ]]
expect 78 "member batch-50-rate-0.1-warmup-soon of the study: " \
  "$lockstep" study "${linear[@]}" --batches 50 --rates 0.1 --vary "optim.warmup=1 epoch|soon" --run-dir wrong
expect 78 "unknown key optim.lr" "$lockstep" study "${linear[@]}" --vary "optim.lr=1|2" --run-dir wrong
expect 78 "use study.batches" "$lockstep" study "${linear[@]}" --vary "train.batch=1|2" --run-dir wrong
[[ ! -e wrong ]]

echo "-- a share of the budget ends a member"
expect 0 " budget " "$lockstep" study "${linear[@]}" --batches 1,full --rates 0.01 --set train.epochs=1e6 \
  --budget 400ms --run-dir short --concurrent auto
check short 'all(one["status"] == "budget" and one["train_s"] < 1 for one in s["members"])'

echo "-- one row, one class"
printf '1,2,0\n' >row.csv
expect 0 "2 of 2" "$lockstep" study --set data.train=row.csv --set model.name=linear --set train.watch=train.loss \
  --set eval.train=always --rates 0.1,0.01 --budget 2s --run-dir row
check row '[one["batch"] for one in s["members"]] == [1, 1]'
for ((i = 0; i < 40; ++i)); do echo "$i,1"; done >class.csv
expect 65 "at least two classes" "$lockstep" study --set data.train=class.csv --set model.name=softmax --batches 1,full \
  --rates 0.1 --budget 2s --run-dir class
