#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tuning as a user calls it: what it writes runs as it is and reaches the target, the test set is never read, and
# what cannot be told is said.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
set -e

# check FILE EXPRESSION: a Python expression over the JSON file as `t`.
check() { python3 -c 'import json, sys; t = json.load(open(sys.argv[1])); assert eval(sys.argv[2]), (sys.argv[2], t)' "$@"; }

cat >slow.toml <<'TOML'
[data]
train = "demo:logistic?rows=4000&features=6&noise=0.1"
valid = "split:0.2"
test = "missing-on-purpose.csv"
[model]
name = "logistic"
[optim]
learning_rate = 0.01
[train]
batch = 2000
epochs = 20
target = "valid.loss <= 0.42"
TOML

echo "-- a config that is far too slow"
# Its rate range test reaches the target within a hundred steps of the largest rate: no time is needed but to start these
# trials, of which the budget takes many more.
expect 0 "gain: expected" "$lockstep" tune -c slow.toml --budget 15s -o fast.toml
check fast.json 't["schema"] == "lockstep.tune/1" and t["recommended"]["time_s"] > 0'
check fast.json 't["recommended"]["low_s"] <= t["recommended"]["time_s"] <= t["recommended"]["high_s"]'
check fast.json '[c["ranks"] for c in t["costs"]][0] == 1 and len(t["costs"][0]["points"]) > 3'
grep -q 'test = "missing-on-purpose.csv"' fast.toml
expect 0 "time to target" "$lockstep" train -c fast.toml --data.test= --run-dir fast
python3 - <<'PYTHON'
import json
said = json.load(open("fast.json"))["recommended"]
steps = json.load(open("fast/summary.json"))["steps"]
tried = [t for t in json.load(open("fast.json"))["trials"] if (t["batch"], t["rate"], t["warmup"], t["seed"]) == (said["batch"], said["rate"], said["warmup"], 0)]
assert any(t["steps_to_target"] == steps for t in tried), (steps, tried)
PYTHON
expect 0 "best: " "$lockstep" study -c slow.toml --data.test= --batches "$(python3 -c 'import json; print(json.load(open("fast.json"))["recommended"]["batch"])')" \
  --rates 0.1 --predicted fast.json --budget 2s --run-dir compared
check compared/study.json 't["predicted"]["time_s"] > 0'

tune=("$lockstep" tune --ranks 1 --budget 6s)
echo "-- no target: the present config is to be overtaken"
expect 0 "to which the present config came" "${tune[@]}" -c slow.toml --train.target= -o level.toml
expect 0 "parameters_hash" "$lockstep" train -c level.toml --data.test= --train.epochs 1 --run-dir level

echo "-- neither target nor validation rows, and another goal"
expect 0 "the best train.loss" "${tune[@]}" -c slow.toml --train.target= --data.valid= --goal accuracy -o best.toml
expect 0 "core-hours to train.target" "${tune[@]}" -c slow.toml --goal core-hours -o cheap.toml

echo "-- what cannot be told is said"
expect 0 "cannot be told" "${tune[@]}" -c slow.toml "--train.target=valid.loss <= 0" -o never.toml
printf '1,2\n2,3\n3,5\n' >rows.csv
expect 0 "cannot be told\|not measured" "${tune[@]}" --data.train=rows.csv --model.name=linear -o rows.toml
expect 64 "too short" "$lockstep" tune -c slow.toml --budget 10ms -o short.toml
[[ ! -e short.toml ]]
expect 64 "expected time, accuracy or core-hours" "$lockstep" tune -c slow.toml --goal fast
