#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What looking for silent trouble costs a step of the flagship (logistic, 28 features, batch 1,000) on two ranks.

trouble_bench.py LOCKSTEP: trains without and with each check in every step, in turn, seven rounds; all models must be the
same. Prints the median step of each (median over rounds), its excess over the plain step in the same round, and what that
means per step where the check is made in one of a hundred. The ranks are two nodes (comm.ranks_per_node = 1) in those
runs whose copies of the weights are compared, and in the plain ones they are held against.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 7
NODES = ["comm.ranks_per_node=1"]
RUNS = {"plain": [], "train.audit": ["train.audit=1"], "plain, two nodes": NODES,
        "train.check_every, two nodes": NODES + ["train.check_every=1"]}
PLAIN_OF = {"train.audit": "plain", "train.check_every, two nodes": "plain, two nodes"}


def train(lockstep, folder, settings):
    run = os.path.join(folder, "run")
    common = ["data.train=demo:logistic?rows=1000000&features=28&noise=0.1", "model.name=logistic", "train.batch=1000",
              "train.epochs=3", "train.shuffle=false", "train.noise_every=0", "eval.train=never", "log.curves=false",
              "log.progress=none", "log.hash_every=1000000", "checkpoint.every=never"]
    arguments = [word for setting in common + settings for word in ("--set", setting)]
    subprocess.run([lockstep, "train", "-n", "2", "--overwrite", "--run-dir", run, *arguments], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(os.path.join(run, "summary.json"), encoding="utf-8") as file:
        return json.load(file)


def main():
    lockstep = os.path.abspath(sys.argv[1])
    steps = {name: [] for name in RUNS}
    hashes = set()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for name, settings in RUNS.items():
                summary = train(lockstep, folder, settings)
                steps[name].append(1e3 * summary["step_ms.p50"])
                hashes.add(summary["parameters_hash"])
    assert len(hashes) == 1, hashes
    for name, times in steps.items():
        line = f"{name:30} {statistics.median(times):8.1f} µs a step"
        if name in PLAIN_OF:
            more = [a - b for a, b in zip(times, steps[PLAIN_OF[name]])]
            share = [a / b - 1 for a, b in zip(times, steps[PLAIN_OF[name]])]
            line += (f", {statistics.median(more):.1f} µs more; in every 100th: "
                     f"{statistics.median(share):.3f} % of all time")
        print(line)


if __name__ == "__main__":
    main()
