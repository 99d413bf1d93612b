# SPDX-License-Identifier: Apache-2.0
"""Compares what `lockstep tune` recommends with the best that an exhaustive `lockstep study` finds.

    python3 tests/bench/balance.py BUILD WORK OUT [--a9a FILE] [--rounds 5] [--tune 60s] [--study 6min] [--only STEP]

WORK: logistic, a9a, softmax or mlp. Steps, each of which can be run alone (--only): tune, study, confirm. The last one
trains the recommended config, the study's three best members and the better of each of B = 1 and full in turn, with other
seeds than the study's in no round: time to target is that of the same rows, in the same order. Medians are printed; members
that never reach the target count with the time they were given. Ranks: 2.
"""
import argparse
import json
import statistics
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORKS = {
    "logistic": ("balance.toml", [], "full,16384,4096,1024,256,64,16,4,1"),
    "a9a": ("sparse_logistic.toml", ["data.test=", "data.valid=split:0.2", "train.target=valid.loss <= 0.335"],
            "full,8192,2048,512,128,32,8,1"),
    "softmax": ("fashion_softmax.toml", ["data.test=", "data.valid=split:0.2", "train.target=valid.accuracy >= 0.84"],
                "full,8192,2048,512,128,32,8,1"),
    "mlp": ("fashion_mlp.toml", ["data.test=", "data.valid=split:0.2", "train.target=valid.accuracy >= 0.88"],
            "full,4096,1024,512,256,128,64,16,1"),
}


def flags(arguments):
    config, settings, _ = WORKS[arguments.work]
    if arguments.work == "a9a":
        settings = [f"data.train={arguments.a9a}", *settings]
    return ["-c", str(ROOT / "configs" / config), *(part for text in settings for part in ("--set", text))]


def lockstep(arguments, *words):
    command = [str(arguments.build / "lockstep"), *words]
    print("$", " ".join(command), flush=True)
    subprocess.run(command, check=True)


def tune(arguments):
    lockstep(arguments, "tune", *flags(arguments), "--ranks", "2", "--budget", arguments.tune, "-o",
             str(arguments.out / "tuned.toml"))


def study(arguments):
    lockstep(arguments, "study", *flags(arguments), "--ranks", "2", "--batches", WORKS[arguments.work][2], "--budget",
             arguments.study, "--predicted", str(arguments.out / "tuned.json"), "--run-dir", str(arguments.out / "study"))


def train_once(arguments, config, ranks, name):
    run = arguments.out / "again" / name
    command = [str(arguments.build / "lockstep"), "train", "-n", str(ranks), "-c", str(config), "--overwrite", "--run-dir",
               str(run), "--set", "run.name="]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    summary = json.loads((run / "summary.json").read_text())
    return summary.get("time_to_target_s")


def confirm(arguments):
    found = json.loads((arguments.out / "study/study.json").read_text())
    tuned = json.loads((arguments.out / "tuned.json").read_text())["recommended"]
    reached = sorted((m for m in found["members"] if m["time_to_target_s"]), key=lambda m: m["time_to_target_s"])
    rows = {f"recommended: batch {tuned['batch']}, rate {tuned['rate']}, {tuned['ranks']} ranks":
            (arguments.out / "tuned.toml", tuned["ranks"])}
    for member in reached[:3]:
        rows[member["name"]] = (arguments.out / "study/configs" / f"{member['name']}.toml", member["ranks"])
    times = {name: [] for name in rows}
    for _ in range(arguments.rounds):
        for name, (config, ranks) in rows.items():
            times[name].append(train_once(arguments, config, ranks, name.split(":")[0]))
    medians = {name: statistics.median(values) if None not in values else None for name, values in times.items()}
    for name, median in medians.items():
        print(f"{name:60} {median if median is None else round(median, 4)} s  of {times[name]}")
    best = min(value for name, value in medians.items() if not name.startswith("recommended") and value)
    recommended = next(iter(medians.values()))
    print(f"recommended / best of the study: {recommended / best:.2f}")
    for extreme in (1, max(m["batch"] for m in found["members"])):
        mine = [m for m in found["members"] if m["batch"] == extreme]
        to_target = [m["time_to_target_s"] for m in mine if m["time_to_target_s"]]
        worst = min(to_target) if to_target else max(m["train_s"] for m in mine)
        print(f"batch {extreme}: {worst:.3g} s{'' if to_target else ' without reaching it'} = {worst / recommended:.1f} x")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("work", choices=WORKS)
    parser.add_argument("out", type=Path)
    parser.add_argument("--a9a", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tune", default="60s")
    parser.add_argument("--study", default="6min")
    parser.add_argument("--only", choices=["tune", "study", "confirm"])
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for step in (tune, study, confirm):
        if arguments.only in (None, step.__name__):
            step(arguments)


main()
