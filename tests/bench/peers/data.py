# SPDX-License-Identifier: Apache-2.0
"""The rows all contestants train on, made up on the spot and the same every time."""
import numpy as np

ROWS = 5_000_000
FEATURES = 28
TEXT_ROWS = 200_000  # for LIBLINEAR, which reads text
IMAGES = 16_000  # a multiple of both batches


def save(folder, name, x, y):
    np.save(folder / f"X_{name}.npy", x)
    np.save(folder / f"y_{name}.npy", y.astype(np.float32))


def make_logistic(folder):
    random = np.random.default_rng(1)
    x = random.standard_normal((ROWS, FEATURES), dtype=np.float32)
    is_positive = x @ random.standard_normal(FEATURES).astype(np.float32) > 0
    y = is_positive ^ (random.random(ROWS) < 0.1)
    save(folder, "logistic", x, y)
    with open(folder / "logistic.libsvm", "w", encoding="ascii") as file:
        for features, label in zip(x[:TEXT_ROWS], y):
            file.write(f"{int(label)} " + " ".join(f"{j + 1}:{value:.6g}" for j, value in enumerate(features)) + "\n")


def make_images(folder):
    random = np.random.default_rng(2)
    centres = random.standard_normal((10, 784), dtype=np.float32)
    classes = random.integers(0, 10, IMAGES)
    x = np.float32(0.09) * centres[classes] + np.float32(0.3) * random.standard_normal((IMAGES, 784), dtype=np.float32)
    save(folder, "mlp", x, classes)


def make_all(folder):
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "y_logistic.npy").exists():
        make_logistic(folder)
    if not (folder / "y_mlp.npy").exists():
        make_images(folder)
