#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares readers of text on one core: read_compare.py [BUILD_DIR] [ROUNDS].

The same files (of parse_bench, the first 32 MB), in the page cache; rounds in which every reader takes its turn in
a process of its own; medians. Timed is the call that reads, not the start of the process: Lockstep's from the file
to row blocks, scikit-learn's load_svmlight_file to a CSR matrix, pandas' read_csv (C engine) to a data frame, and
LIBLINEAR's way of reading (token_reader.cpp, two passes and strtod per token: its own reader is no program of its
own) to an array of entries. Build parse_bench first, and run setup.sh.
"""
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../../build"))
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
BYTES = 32 << 20
PYTHON = os.path.join(BUILD, "peers/venv/bin/python")
BENCH = os.path.join(BUILD, "release/tests/parse_bench")

SKLEARN = """
import sys, time
from sklearn.datasets import load_svmlight_file
start = time.perf_counter()
rows = load_svmlight_file(sys.argv[1])[0].shape[0]
print(time.perf_counter() - start, rows)
"""
PANDAS = """
import sys, time
import pandas
start = time.perf_counter()
rows = len(pandas.read_csv(sys.argv[1], header=None, engine="c"))
print(time.perf_counter() - start, rows)
"""


def shorten(source, target):
    """Whole lines of the first BYTES bytes. Returns how many bytes those are."""
    with open(source, "rb") as file:
        text = file.read(BYTES)
    text = text[: text.rindex(b"\n") + 1]
    with open(target, "wb") as file:
        file.write(text)
    return len(text)


def run(command):
    # One core for every reader, whatever threads its libraries would start.
    seconds, rows = subprocess.run(["taskset", "-c", "0", *command], check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), int(rows)


def compare(name, size, contestants):
    times = {who: [] for who in contestants}
    counts = set()
    for _ in range(ROUNDS):
        for who, command in contestants.items():
            seconds, rows = run(command)
            times[who].append(seconds)
            counts.add(rows)
    if len(counts) != 1:
        sys.exit(f"{name}: the readers found {sorted(counts)} rows")
    ours = statistics.median(times["Lockstep"])
    print(f"| {name}, {size / 1e6:.0f} MB | median MB/s | times as long as Lockstep |\n|---|---|---|")
    for who, seconds in times.items():
        median = statistics.median(seconds)
        print(f"| {who} | {size / median / 1e6:.0f} | {median / ours:.1f} |")
    print()


def main():
    with tempfile.TemporaryDirectory() as folder:
        reader = os.path.join(folder, "token_reader")
        subprocess.run(["g++", "-O3", "-march=x86-64-v3", "-o", reader, os.path.join(HERE, "token_reader.cpp")], check=True)
        subprocess.run([BENCH, "--write", folder], check=True)
        svm, csv = os.path.join(folder, "rows.svm"), os.path.join(folder, "rows.csv")
        svm_size = shorten(os.path.join(folder, "parse_bench.svm"), svm)
        csv_size = shorten(os.path.join(folder, "parse_bench.csv"), csv)
        compare("LIBSVM", svm_size, {
            "Lockstep": [BENCH, "--read", "libsvm", svm],
            "LIBLINEAR's way": [reader, svm],
            "scikit-learn": [PYTHON, "-c", SKLEARN, svm],
        })
        compare("CSV", csv_size, {
            "Lockstep": [BENCH, "--read", "csv", csv],
            "pandas": [PYTHON, "-c", PANDAS, csv],
        })


if __name__ == "__main__":
    main()
