# SPDX-License-Identifier: Apache-2.0
"""Runs Lockstep and its peers in turn on the same work and writes a table of medians. After setup.sh:

    BUILD/peers/venv/bin/python compare.py BUILD [--only NAME …] [--rounds 5] [--table FILE.md]

All get the same rows in the same order, batch, initial weights and number of steps, and one thread a process. The loss
they end with is compared first: one that is further than TOLERANCE from Lockstep's did other work, and nothing is
reported. Timed is the training loop alone (of LIBLINEAR, which has none, the whole program).

Run again with --only, it replaces the rows of that name and keeps the others.
"""
import argparse
import json
import os
import platform
import statistics
from dataclasses import dataclass, field
from pathlib import Path

import data
from contestants import Contestants

# Of the loss, relative. Sums of floats in another order differ by 1e-5 after some hundred steps; another row order, rate
# or number of steps by 1e-3 and more.
TOLERANCE = 1e-4
# Lockstep goes there in steps of a batch, LIBLINEAR by Newton's method: both are this close to the optimum.
OPTIMUM_TOLERANCE = 1e-3


@dataclass
class Work:
    name: str
    data: str
    batch: int
    steps: int
    rate: float
    processes: int
    peers: tuple
    settings: dict = field(default_factory=dict)


def all_work():
    network = {"model.hidden": "256,128"}
    two = {"train.shards": 2, **network}
    torch = ("PyTorch", "PyTorch of Debian")
    for processes in (1, 2):
        yield Work(f"logistic-{processes}", "logistic", 1000, 5000, 0.5, processes, (*torch, "NumPy"))
        alone = ("scikit-learn",) if processes == 1 else ()
        yield Work(f"mlp64-{processes}", "mlp", 64, 500, 0.05, processes, (*torch, "NumPy", *alone), two)
        yield Work(f"mlp1000-{processes}", "mlp", 1000, 48, 0.05, processes, (*torch, "NumPy", *alone), network)
        yield Work(f"mlp1000-shards2-{processes}", "mlp", 1000, 48, 0.05, processes, torch[:1], two)


def run(contestants, work, name):
    if name == "Lockstep":
        return contestants.lockstep(work.processes, contestants.settings(work))
    if name == "NumPy":
        return contestants.script("numpy_train.py", "new", work.processes, work)
    if name == "scikit-learn":
        return contestants.script("sklearn_train.py", "new", 1, work)
    return contestants.torch("new" if name == "PyTorch" else "debian", work.processes, work)


def measure(names, once, rounds, tolerance):
    """{name: {"seconds": median, "loss", "version"}}; `once(name)` runs one of them."""
    results = {name: [once(name)] for name in names}
    loss = results["Lockstep"][0]["loss"]
    for name in names:
        theirs = results[name][0]["loss"]
        if not abs(theirs - loss) <= tolerance * abs(loss):
            raise SystemExit(f"{name} ends with loss {theirs:.7f}, Lockstep with {loss:.7f}: not the same work, no times")
    for _ in range(rounds - 1):
        for name in names:
            results[name].append(once(name))
    return {name: {**all_runs[0], "seconds": statistics.median(run["seconds"] for run in all_runs)}
            for name, all_runs in results.items()}


def rows_of(work, found):
    ours = found["Lockstep"]["seconds"]
    return [{"work": work.name, "batch": work.batch, "processes": work.processes, "name": name, "version": one["version"],
             "loss": one["loss"], "step_ms": one["seconds"] / work.steps * 1e3,
             "rows_per_s": work.batch * work.steps / one["seconds"], "ratio": one["seconds"] / ours}
            for name, one in found.items()]


def optimum_rows(found):
    ours = found["Lockstep"]["seconds"]
    return [{"work": "optimum", "batch": "", "processes": 1, "name": name, "version": one["version"], "loss": one["loss"],
             "step_ms": one["seconds"] * 1e3, "rows_per_s": 0, "ratio": one["seconds"] / ours}
            for name, one in found.items()]


def machine():
    lines = Path("/proc/cpuinfo").read_text().split("\n")
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{model}, {len(os.sched_getaffinity(0))} processors, Linux {platform.release()}, Python {platform.python_version()}"


def table(rows, rounds):
    lines = [f"Medians of {rounds}, interleaved; one thread a process; {machine()}.", "",
             "| work | batch | processes | program | version | final loss | ms a step | rows/s | time / Lockstep's |",
             "|---|---|---|---|---|---|---|---|---|"]
    for row in rows:
        rate = f"{row['rows_per_s']:,.0f}" if row["rows_per_s"] else "whole program"
        lines.append(f"| {row['work']} | {row['batch']} | {row['processes']} | {row['name']} | {row['version']} | "
                     f"{row['loss']:.6f} | {row['step_ms']:.4f} | {rate} | {row['ratio']:.2f} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=lambda text: Path(text).resolve())
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--table", type=Path)
    arguments = parser.parse_args()
    contestants = Contestants(arguments.build)
    data.make_all(contestants.data)
    store = contestants.folder / "results.json"
    results = json.loads(store.read_text()) if store.exists() else {}

    for work in all_work():
        if not arguments.only or work.name in arguments.only:
            found = measure(("Lockstep", *work.peers), lambda name, work=work: run(contestants, work, name),
                            arguments.rounds, TOLERANCE)
            results[work.name] = rows_of(work, found)
    if not arguments.only or "optimum" in arguments.only:
        once = {"Lockstep": contestants.lockstep_to_optimum, "LIBLINEAR": contestants.liblinear}
        results["optimum"] = optimum_rows(measure(tuple(once), lambda name: once[name](), arguments.rounds,
                                                  OPTIMUM_TOLERANCE))
    store.write_text(json.dumps(results))
    text = table([row for rows in results.values() for row in rows], arguments.rounds)
    (arguments.table or contestants.folder / "table.md").write_text(text)
    print(text)


main()
