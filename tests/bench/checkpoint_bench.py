#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint costs: 25 million parameters with Adam on two ranks, which train on while it is written.

checkpoint_bench.py LOCKSTEP [FOLDER]: trains in FOLDER (default: a temporary one), then verifies the newest
checkpoint, and prints how long training stood still for each, and its write rate against that of
`dd conv=fsync` writing as many bytes to the same folder right behind.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time


def train(lockstep, run):
    settings = {
        "model.name": "mlp", "model.hidden": "5000", "optim.name": "adam", "train.batch": "64",
        "data.train": "demo:blobs?rows=512&features=5000&classes=2", "train.steps": "28",
        "checkpoint.every": "7 steps", "eval.train": "never", "log.curves": "false", "log.progress": "none",
        "log.hash_every": "1000000", "train.noise_every": "0"}
    arguments = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    subprocess.run([lockstep, "train", "-n", "2", "--run-dir", run, *arguments], check=True,
                   stdout=subprocess.DEVNULL)


def dd_seconds(folder, size):
    path = os.path.join(folder, "dd")
    start = time.monotonic()
    subprocess.run(["dd", "if=/dev/zero", f"of={path}", "bs=1M", f"count={size >> 20}", "conv=fsync",
                    "status=none"], check=True)
    seconds = time.monotonic() - start
    os.remove(path)
    return seconds


def main():
    lockstep = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        run = os.path.join(folder, "run")
        train(lockstep, run)
        subprocess.run([lockstep, "checkpoint", "verify", run], check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as lines:
            saved = [line for line in map(json.loads, lines) if line["kind"] == "checkpoint"]
        with open(os.path.join(run, "summary.json"), encoding="utf-8") as file:
            summary = json.load(file)
        assert saved and not any(line["failed"] for line in saved), saved
        seconds = statistics.median(dd_seconds(folder, saved[0]["bytes"]) for _ in range(3))
    mb = saved[0]["bytes"] / 1e6
    print(f"{len(saved)} checkpoints of {mb:.0f} MB; a step takes {summary['step_ms.p50']:.0f} ms (median)")
    print("training stood still for", ", ".join(f"{line['stall_ms']:.1f}" for line in saved), "ms")
    rates = [mb / line["write_s"] for line in saved]
    print("written at", ", ".join(f"{rate:.0f}" for rate in rates), "MB/s while training went on")
    print(f"dd conv=fsync: {mb / seconds:.0f} MB/s; ratio of the medians "
          f"{statistics.median(rates) / (mb / seconds):.2f}")


if __name__ == "__main__":
    main()
