#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint costs: 25 million parameters with Adam on two ranks, which train on while it is written.

checkpoint_bench.py LOCKSTEP [FOLDER]: trains in FOLDER (default: a temporary one), verifies the newest checkpoint,
then writes as many bytes to the same folder by `dd conv=fsync`, three times; three rounds of this. Prints

- how long training stood still for each checkpoint;
- its write rate: bytes by the seconds from the step boundary on, copying included, until the checkpoint counts
  (manifest synced and renamed). The last one of a run is told apart, for nobody trains beside it;
- the ratio to the rate of dd, whose seconds are those of the whole program while nobody trains;
- what it costs training: the stall, and by how much the steps meanwhile take longer than the median of the others.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 3


def train(lockstep, run):
    settings = {
        "model.name": "mlp", "model.hidden": "5000", "optim.name": "adam", "train.batch": "64",
        "data.train": "demo:blobs?rows=512&features=5000&classes=2", "train.steps": "28",
        "checkpoint.every": "7 steps", "eval.train": "never", "log.curves": "false", "log.progress": "none",
        "log.hash_every": "1000000", "train.noise_every": "0"}
    arguments = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    subprocess.run([lockstep, "train", "-n", "2", "--run-dir", run, *arguments], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run([lockstep, "checkpoint", "verify", run], check=True, stdout=subprocess.DEVNULL)


def dd_seconds(folder, size):
    path = os.path.join(folder, "dd")
    start = time.monotonic()
    subprocess.run(["dd", "if=/dev/zero", f"of={path}", "bs=1M", f"count={size >> 20}", "conv=fsync",
                    "status=none"], check=True)
    seconds = time.monotonic() - start
    os.remove(path)
    return seconds


def read_course(run):
    """The lines of its checkpoints, and the seconds of its steps by number."""
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as text:
        lines = [json.loads(line) for line in text]
    saved = [line for line in lines if line["kind"] == "checkpoint"]
    assert saved and not any(line["failed"] for line in saved), saved
    ends = [(line["step"], line["train_s"]) for line in lines if line["kind"] == "step"]
    return saved, {step: end - before for (_, before), (step, end) in zip(ends, ends[1:])}


def costs_of(saved, steps):
    """Milliseconds of training that each checkpoint cost but the last."""
    beside = []
    for line in saved[:-1]:
        numbers, rest = [], line["write_s"] - line["stall_ms"] / 1e3
        while rest > 0 and line["step"] + len(numbers) + 1 in steps:
            numbers.append(line["step"] + len(numbers) + 1)
            rest -= steps[numbers[-1]]
        beside.append(numbers)
    usual = statistics.median(s for step, s in steps.items() if not any(step in numbers for numbers in beside))
    return [line["stall_ms"] + 1e3 * sum(steps[step] - usual for step in numbers)
            for line, numbers in zip(saved, beside)]


def main():
    lockstep = os.path.abspath(sys.argv[1])
    stalls, during, after, dd, costs = [], [], [], [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
            run = os.path.join(folder, "run")
            train(lockstep, run)
            saved, steps = read_course(run)
            size = saved[0]["bytes"]
            dd += [size / 1e6 / dd_seconds(folder, size) for _ in range(3)]
        rates = [size / 1e6 / line["write_s"] for line in saved]
        stalls += [line["stall_ms"] for line in saved]
        during += rates[:-1]
        after.append(rates[-1])
        costs += costs_of(saved, steps)
    for name, rates, unit in (("training stood still for", stalls, "ms"),
                              ("written while both ranks trained at", during, "MB/s"),
                              ("written after the last step at", after, "MB/s"), ("dd conv=fsync", dd, "MB/s"),
                              ("a checkpoint cost training", costs, "ms")):
        print(f"{name}: {', '.join(f'{rate:.0f}' for rate in rates)} {unit}; median {statistics.median(rates):.0f}")
    print(f"{size / 1e6:.0f} MB a checkpoint; ratio of the medians to dd: "
          f"{statistics.median(during) / statistics.median(dd):.2f} while both ranks trained, "
          f"{statistics.median(after) / statistics.median(dd):.2f} after the last step")
    print(f"one a minute slows training by {statistics.median(costs) / 600:.2f} %")


if __name__ == "__main__":
    main()
