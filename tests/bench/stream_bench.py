# SPDX-License-Identifier: Apache-2.0
"""Rows streamed from a cache file against the same rows in memory, and rows larger than the memory they may take.

    python3 tests/bench/stream_bench.py BUILD FOLDER [--rows 5000000] [--large 50000000] [--ranks 2] [--rounds 3]

Logistic regression on rows of 28 numbers, B = 1,000, shuffled, one epoch. Printed: rows a second of training in memory
and streamed (medians, in turn; both must have one parameters_hash), seconds from the command to the word of the first step,
and for the large set the time of a row and the most memory that all processes together held (sum of Pss, sampled). FOLDER needs 6 GB for 50
million rows; its files are deleted afterwards. --large 0 leaves the large set out.
"""
import argparse
import json
import shutil
import statistics
import subprocess
import threading
import time
from pathlib import Path


def arguments_of():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--large", type=int, default=50_000_000)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def children(pid):
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += children(child)
    return found


def resident(pid):
    """Bytes, page cache not counted, of a process and all below it."""
    total = 0
    for one in children(pid):
        try:
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        except OSError:
            pass
    return total


def synth(arguments, rows):
    path = arguments.folder / f"{rows}.rows"
    source = f"demo:logistic?rows={rows}&features=28&noise=0.1"
    subprocess.run([arguments.build / "lockstep", "data", "synth", source, "-o", path, "-n", str(arguments.ranks)],
                   check=True, stdout=subprocess.DEVNULL)
    return path


def train(arguments, path, *settings):
    run = arguments.folder / "run"
    sets = [f"data.train={path}", "model.name=logistic", "train.batch=1000", "train.epochs=1", "eval.train=never",
            "optim.learning_rate=0.5", "optim.schedule=inverse_sqrt", *settings]
    command = [arguments.build / "lockstep", "train", "-n", str(arguments.ranks), "--overwrite", "--run-dir", run]
    for text in sets:
        command += ["--set", text]
    start, steps, most = time.monotonic(), [], 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def wait_for_steps():
        for line in process.stderr:
            if line.startswith("step "):
                steps.append(time.monotonic() - start)

    listener = threading.Thread(target=wait_for_steps)
    listener.start()
    while process.poll() is None:
        try:
            most = max(most, resident(process.pid))
        except OSError:
            pass
        time.sleep(0.1)
    listener.join()
    if process.returncode != 0:
        raise SystemExit(f"{command} ended with {process.returncode}")
    summary = json.loads((run / "summary.json").read_text())
    summary["first_step_s"] = steps[0]
    summary["most_bytes"] = most
    return summary


def compare(arguments):
    path = synth(arguments, arguments.rows)
    results = {"in memory": [], "streamed": []}
    for _ in range(arguments.rounds):
        results["in memory"].append(train(arguments, path))
        results["streamed"].append(train(arguments, path, "data.memory_limit=100MB"))
    path.unlink()
    assert len({run["parameters_hash"] for runs in results.values() for run in runs}) == 1
    rate = {name: statistics.median(run["rows_per_s"] for run in runs) for name, runs in results.items()}
    for name, runs in results.items():
        print(f"{name:10} {rate[name] / 1e6:7.2f} million rows/s   first step after "
              f"{statistics.median(run['first_step_s'] for run in runs):5.2f} s   "
              f"{max(run['most_bytes'] for run in runs) / 1e6:6.0f} MB")
    print(f"streamed / in memory {rate['streamed'] / rate['in memory']:.2f}", flush=True)
    return rate["streamed"]


def measure_large(arguments, small_rate):
    path = synth(arguments, arguments.large)
    start = time.monotonic()
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 22):
            pass
    plain = arguments.large / (time.monotonic() - start)
    run = train(arguments, path, "data.memory_limit=1GB")
    path.unlink()
    print(f"large      {run['rows_per_s'] / 1e6:7.2f} million rows/s   first step after {run['first_step_s']:5.2f} s   "
          f"{run['most_bytes'] / 1e6:6.0f} MB")
    print(f"time of a row / that of the small set {small_rate / run['rows_per_s']:.2f}; "
          f"plain read {plain / 1e6:.1f} million rows/s")


def main():
    arguments = arguments_of()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    small_rate = compare(arguments)
    if arguments.large > 0:
        measure_large(arguments, small_rate)
    shutil.rmtree(arguments.folder / "run", ignore_errors=True)


if __name__ == "__main__":
    main()
