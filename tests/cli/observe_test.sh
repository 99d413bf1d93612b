#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a run tells while it goes on and afterwards, under mpirun: event files, trace, `watch`, and the name of a
# rank that holds up the other.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
set -e
launcher=
clean_up() { [[ -z $launcher ]] || kill -KILL "$launcher" 2> /dev/null || true; }
options=(--set "data.train=demo:blobs?rows=2000&features=5" --set data.valid=split:0.2 --set model.name=softmax
  --set log.progress=none)

echo "-- event files hold the numbers of metrics.jsonl"
"$lockstep" train "${options[@]}" -n 2 --set train.steps=30 --set log.tensorboard=true --set log.trace=10-12 \
  --set "checkpoint.every=10 steps" --set checkpoint.keep=9 --set checkpoint.background=false --run-dir run
compare() {
  /usr/bin/python3 "$source/tests/cli/read_events.py" "$1"/tensorboard/events.out.tfevents.* >events
  /usr/bin/python3 - "$1/metrics.jsonl" events <<'PYTHON'
import json, struct, sys
read = {}
for line in open(sys.argv[2]):
    tag, step, value = line.rsplit(" ", 2)
    read.setdefault(tag, []).append((int(step), float(value)))
lines = [json.loads(line) for line in open(sys.argv[1])]
single = lambda x: struct.unpack("f", struct.pack("f", x))[0]
for kind, key, tag in [("step", "train.loss", "train/loss"), ("step", "rate", "step/rate"),
                       ("evaluation", "valid.accuracy", "valid/accuracy"), ("time", "step_ms", "time/step_ms")]:
    expected = [(line["step"], single(line[key])) for line in lines if line["kind"] == kind]
    assert expected and read[tag] == expected, (tag, read[tag], expected)
assert [s for s, _ in read["time/late_ms/rank0"]] == [line["step"] for line in lines if line["kind"] == "time"]
PYTHON
}
compare run

echo "-- the trace is JSON and has both ranks"
/usr/bin/python3 - run/trace.json <<'PYTHON'
import json, sys
events = [event for event in json.load(open(sys.argv[1]))["traceEvents"] if event["ph"] == "X"]
for rank in 0, 1:
    for name in "step", "data", "compute", "exchange", "update":
        steps = {event["args"]["step"] for event in events if event["pid"] == rank and event["name"] == name}
        assert steps == {10, 11, 12}, (rank, name, steps)
PYTHON

echo "-- a resumed run writes its event file anew"
rm -r run/model.safetensors run/summary.json run/checkpoints/step-0000000000{20,30}-g0001
"$lockstep" resume run
[[ $(ls run/tensorboard | wc -l) == 1 ]]
compare run
grep -q "^train/loss 30 " events

echo "-- watch"
expect 0 "^state *finished" "$lockstep" watch run
expect 0 "^steps *step 30 of 30" "$lockstep" watch run --once
expect 0 "valid.accuracy" "$lockstep" watch run
expect 65 "missing" "$lockstep" watch missing

echo "-- a rank that holds up the other is named while the run goes on"
# The one shard is that of rank 1: rank 0 has nothing to do but to wait.
"$lockstep" train "${options[@]}" -n 2 --set model.name=mlp --set model.hidden=256 --set train.batch=full \
  --set train.shards=1 --set train.steps=100000 --set eval.every=never --no-restart --run-dir slow &
launcher=$!
await_steps slow
expect 0 "^state *running" "$lockstep" watch slow
await 60 has_word slow/log.txt "rank 1 on .* is slow"
cat slow/log.txt
grep '"kind":"time"' slow/metrics.jsonl
grep -q "rank 1 on .* is slow: it comes .* later than the others to every step" slow/log.txt
rank=$(rank_process 1)
kill -KILL "$(rank_process 0)"
wait "$launcher" 2>/dev/null || true
launcher=
await 10 is_gone "$rank"
expect 0 "^state *killed" "$lockstep" watch slow
