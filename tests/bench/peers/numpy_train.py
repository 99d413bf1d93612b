# SPDX-License-Identifier: Apache-2.0
"""NumPy on one thread; under mpirun every process takes its share of a batch and mpi4py adds up the gradients."""
import time

import mpi4py
import numpy as np
from mpi4py import MPI

from workload import answer, asked_workload


def gradients(workload, layers, x, y, out):
    """Writes the gradient of the summed loss of these rows into the views `out`, layer by layer."""
    inputs, values = [], x
    for number, (weight, bias) in enumerate(layers):
        inputs.append(values)
        values = values @ weight + bias
        if number + 1 < len(layers):
            np.maximum(values, 0, out=values)
    if workload.is_logistic:
        delta = 1 / (1 + np.exp(-values)) - y[:, None]
    else:
        delta = np.exp(values - values.max(axis=1, keepdims=True))
        delta /= delta.sum(axis=1, keepdims=True)
        delta[np.arange(len(y)), y] -= 1
    for number in reversed(range(len(layers))):
        out[number][0][:] = inputs[number].T @ delta
        out[number][1][:] = delta.sum(axis=0)
        if number > 0:
            delta = (delta @ layers[number][0].T) * (inputs[number] > 0)


def views(flat, layers):
    found, at = [], 0
    for weight, bias in layers:
        end = at + weight.size
        found.append((flat[at:end].reshape(weight.shape), flat[end:end + bias.size]))
        at = end + bias.size
    return found


def main():
    workload = asked_workload()
    ranks = MPI.COMM_WORLD
    share = workload.batch // ranks.size
    labels = workload.y if workload.is_logistic else workload.y.astype(np.int64)
    initial = np.concatenate([part.ravel() for layer in workload.layers for part in layer])
    weights, gradient = initial.copy(), np.empty_like(initial)
    layers, out = views(weights, workload.layers), views(gradient, workload.layers)

    def run(windows):
        for first, _ in windows:
            first += ranks.rank * share
            gradients(workload, layers, workload.x[first:first + share], labels[first:first + share], out)
            if ranks.size > 1:
                ranks.Allreduce(MPI.IN_PLACE, gradient)
            weights[:] -= np.float32(workload.rate / workload.batch) * gradient

    run(workload.windows(20))  # to warm up
    weights[:] = initial
    ranks.Barrier()
    start = time.perf_counter()
    run(workload.windows())
    seconds = time.perf_counter() - start
    if ranks.rank == 0:
        answer(workload, seconds, layers, f"{np.__version__}, mpi4py {mpi4py.__version__}")


main()
