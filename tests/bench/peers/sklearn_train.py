# SPDX-License-Identifier: Apache-2.0
"""scikit-learn's MLPClassifier with solver "sgd", no momentum and no penalty: the same steps. One process only."""
import time
import warnings

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

from workload import answer, asked_workload

warnings.simplefilter("ignore")  # it would go on


def main():
    workload = asked_workload()
    labels = workload.y.astype(np.int64)
    epochs, rest = divmod(workload.steps * workload.batch, len(workload.x))
    assert rest == 0, "scikit-learn trains whole epochs"
    hidden = tuple(bias.size for _, bias in workload.layers[:-1])
    network = MLPClassifier(hidden, solver="sgd", momentum=0, nesterovs_momentum=False, alpha=0, shuffle=False,
                            batch_size=workload.batch, learning_rate_init=workload.rate, max_iter=epochs,
                            n_iter_no_change=10**9, warm_start=True)
    first = slice(workload.batch)
    network.partial_fit(workload.x[first], labels[first], classes=np.unique(labels))  # makes the arrays
    for number, (weight, bias) in enumerate(workload.layers):
        network.coefs_[number][:] = weight
        network.intercepts_[number][:] = bias
    start = time.perf_counter()
    network.fit(workload.x, labels)
    seconds = time.perf_counter() - start
    answer(workload, seconds, list(zip(network.coefs_, network.intercepts_)), sklearn.__version__)


main()
