# SPDX-License-Identifier: Apache-2.0
"""What a peer is asked to do, and what it answers."""
import json
import sys

import numpy as np


class Workload:
    """Plain gradient descent on the mean loss of `batch` rows after another, in file order, from given weights.

    `layers` is a list of (weight: inputs x outputs, bias: outputs) of a network with ReLU between its layers. One
    output means logistic regression, more mean softmax and cross-entropy.
    """

    def __init__(self, text):
        asked = json.loads(text)
        self.x = np.load(asked["x"])
        self.y = np.load(asked["y"])
        self.batch = asked["batch"]
        self.steps = asked["steps"]
        self.rate = asked["rate"]
        self.layers = read_layers(asked["init"])
        self.is_logistic = self.layers[-1][1].size == 1

    def windows(self, steps=None):
        """First and last row of each step; the number of rows is a multiple of the batch."""
        batches = len(self.x) // self.batch
        for step in range(self.steps if steps is None else steps):
            first = step % batches * self.batch
            yield first, first + self.batch

    def loss(self, layers):
        """Mean loss over all rows, in double precision."""
        total = 0.0
        for first in range(0, len(self.x), 10000):
            values = self.x[first:first + 10000].astype(np.float64)
            labels = self.y[first:first + 10000]
            for number, (weight, bias) in enumerate(layers):
                values = values @ weight.astype(np.float64) + bias
                if number + 1 < len(layers):
                    values = np.maximum(values, 0)
            if self.is_logistic:
                total += np.sum(np.logaddexp(0, values[:, 0]) - labels * values[:, 0])
            else:
                top = values.max(axis=1)
                chosen = values[np.arange(len(labels)), labels.astype(int)]
                total += np.sum(np.log(np.exp(values - top[:, None]).sum(axis=1)) + top - chosen)
        return total / len(self.x)


def read_layers(path):
    """The layers of a model file of Lockstep, in order."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"]).copy()
    names = sorted(name for name in tensors if name.endswith("weight"))
    return [(tensors[name].reshape(tensors[name].shape[0], -1), tensors[name[:-6] + "bias"].reshape(-1))
            for name in names]


def asked_workload():
    return Workload(sys.argv[1])


def answer(workload, seconds, layers, version):
    """Called by one process, after the clock has stopped."""
    print(json.dumps({"seconds": seconds, "loss": workload.loss(layers), "version": version}), flush=True)
