# SPDX-License-Identifier: Apache-2.0
"""The format of optimizer_traces.txt and what all traces start from.

Gradients are float32 numbers, so that a trace in double differs from the product by its arithmetic alone.
"""
import numpy as np

STEPS = 24
START = [0.5, -1.25, 0.0, 2.0]


def gradient_sets():
    random = np.random.RandomState(20)
    plain = random.standard_normal((STEPS, 4)).astype(np.float32)
    sparse = plain * (random.random_sample((STEPS, 4)) < 0.4)
    sparse[:, 2] = 0
    return {
        "plain": plain,
        "sparse": sparse.astype(np.float32),
        "zero": np.zeros((STEPS, 4), np.float32),
        "tiny": (1e-12 * plain).astype(np.float32),
        "wide": (plain * np.array([1e-6, 1e-2, 1e2, 1e5])).astype(np.float32),
    }


def number(value):
    return "%.9g" % value


def write_gradients(file):
    for name, rows in gradient_sets().items():
        file.write(f"gradients {name}\n")
        for row in rows:
            file.write(" ".join(number(value) for value in row) + "\n")


def rates(case):
    """The rate of each step; `drop` divides it by ten from step 13 on."""
    rate = case["rate"]
    return [rate / 10 if case.get("drop") and step >= 12 else rate for step in range(STEPS)]


def write_case(file, case, weights):
    file.write(f"case {case['optimizer']} {case['name']}\n")
    for key, value in case.get("options", {}).items():
        file.write(f"option {key} {value}\n")
    for key in ("l1", "l2", "decay"):
        file.write(f"{key} {case.get(key, 0)!r}\n")
    file.write(f"penalized {int(case.get('penalized', True))}\n")
    file.write("rates " + " ".join(repr(rate) for rate in rates(case)) + "\n")
    file.write(f"use {case.get('gradients', 'plain')}\n")
    file.write("start " + " ".join(number(value) for value in case.get("start", START)) + "\n")
    for row in weights:
        file.write(" ".join(number(value) for value in row) + "\n")
