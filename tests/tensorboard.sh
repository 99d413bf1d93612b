#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/tensorboard.sh
#
# Reads the event file of a run back with the tensorboard package from PyPI, which it installs under
# build/tensorboard, and compares it with metrics.jsonl. Run by hand; tests/cli/observe_test.sh does the same with a
# reader of its own, without PyPI.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/build/tensorboard/venv
run=$root/build/tensorboard/run
[[ -x $venv/bin/python ]] || python3 -m venv "$venv"
"$venv/bin/python" -c "import tensorboard" 2>/dev/null || "$venv/bin/pip" install --quiet tensorboard

"$root/build/release/lockstep" train --set "data.train=demo:blobs?rows=2000&features=5" --set data.valid=split:0.2 \
  --set model.name=softmax --set train.steps=50 --set log.tensorboard=true --run-dir "$run" --overwrite
"$venv/bin/python" - "$run" <<'PYTHON'
import json
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run = sys.argv[1]
read = EventAccumulator(run + "/tensorboard")
read.Reload()
tags = read.Tags()["scalars"]
lines = [json.loads(line) for line in open(run + "/metrics.jsonl")]
single = lambda x: struct.unpack("f", struct.pack("f", x))[0]
for kind, key, tag in [("step", "train.loss", "train/loss"), ("step", "rate", "step/rate"),
                       ("evaluation", "valid.loss", "valid/loss"), ("time", "step_ms", "time/step_ms")]:
    expected = [(line["step"], single(line[key])) for line in lines if line["kind"] == kind]
    found = [(event.step, event.value) for event in read.Scalars(tag)]
    assert expected and found == expected, (tag, found, expected)
print("equal:", ", ".join(tags))
PYTHON
