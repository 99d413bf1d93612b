# SPDX-License-Identifier: Apache-2.0
"""Writes numpy_traces.txt: LARS, LAMB, FTRL and the proximal maps of L1 from their papers' formulas, in double.

Needs numpy. Run in this folder: python3 make_traces_numpy.py
"""
import numpy as np

import trace_file

norm = np.linalg.norm


def soft(weights, threshold):
    return np.sign(weights) * np.maximum(np.abs(weights) - threshold, 0)


def lars(case, weights, steps):
    """You, Gitman and Ginsburg (2017), algorithm 1."""
    options = case.get("options", {})
    momentum, trust = options.get("optim.momentum", 0.9), options.get("optim.trust_coefficient", 0.001)
    penalized = case.get("penalized", True)
    decay = case.get("l2", 0) if penalized else 0
    velocity = np.zeros(4)
    for rate, gradient in steps:
        local = 1
        if penalized and norm(weights) > 0 and norm(gradient) > 0:
            local = trust * norm(weights) / (norm(gradient) + decay * norm(weights))
        velocity = momentum * velocity + rate * local * (gradient + decay * weights)
        weights = weights - velocity
        yield weights


def lamb(case, weights, steps):
    """You et al. (2020), algorithm 2, with phi(z) = z."""
    options = case.get("options", {})
    beta1, beta2 = options.get("optim.beta1", 0.9), options.get("optim.beta2", 0.999)
    epsilon = options.get("optim.epsilon", 1e-6)
    penalized = case.get("penalized", True)
    decay = case.get("decay", 0) if penalized else 0
    mean, square = np.zeros(4), np.zeros(4)
    for step, (rate, gradient) in enumerate(steps, 1):
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        direction = mean / (1 - beta1**step) / (np.sqrt(square / (1 - beta2**step)) + epsilon) + decay * weights
        ratio = 1
        if penalized and norm(weights) > 0 and norm(direction) > 0:
            ratio = norm(weights) / norm(direction)
        weights = weights - rate * ratio * direction
        yield weights


def ftrl(case, weights, steps):
    """McMahan et al. (2013), algorithm 1; sigma = 1/eta_t - 1/eta_{t-1}, so that alpha may change."""
    beta = case.get("options", {}).get("optim.beta", 1)
    l1, l2 = case.get("l1", 0), case.get("l2", 0)
    n = np.zeros(4)
    inverse = None
    for alpha, gradient in steps:
        if inverse is None:
            inverse = np.full(4, beta / alpha)
            z = -weights * inverse
        n = n + gradient**2
        before, inverse = inverse, (beta + np.sqrt(n)) / alpha
        z = z + gradient - (inverse - before) * weights
        weights = np.where(np.abs(z) <= l1, 0, -(z - np.sign(z) * l1) / (inverse + l2))
        yield weights


def sgd(case, weights, steps):
    for rate, gradient in steps:
        weights = soft(weights * (1 - rate * case.get("decay", 0)) - rate * gradient, rate * case["l1"])
        yield weights


def momentum(case, weights, steps):
    """Heavy ball with the proximal map that rests at the minimum: rate / (1 - momentum)."""
    velocity = np.zeros(4)
    for rate, gradient in steps:
        velocity = 0.9 * velocity + gradient
        weights = soft(weights - rate * velocity, rate / (1 - 0.9) * case["l1"])
        yield weights


def adagrad(case, weights, steps):
    """Duchi, Hazan and Singer (2011), composite mirror descent with a diagonal metric."""
    square = np.zeros(4)
    for rate, gradient in steps:
        square = square + gradient**2
        effective = rate / (np.sqrt(square) + 1e-10)
        weights = soft(weights - effective * gradient, effective * case["l1"])
        yield weights


def adam(case, weights, steps):
    mean, square = np.zeros(4), np.zeros(4)
    for step, (rate, gradient) in enumerate(steps, 1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        effective = rate / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        weights = soft(weights - effective * mean / (1 - 0.9**step), effective * case["l1"])
        yield weights


RULES = {"lars": lars, "lamb": lamb, "ftrl": ftrl, "sgd": sgd, "momentum": momentum, "adagrad": adagrad, "adam": adam}
ZEROS = [0.0] * 4


def cases():
    yield {"optimizer": "lars", "name": "plain", "rate": 20.0}
    yield {"optimizer": "lars", "name": "l2_and_drop", "rate": 20.0, "l2": 0.1, "drop": True}
    yield {"optimizer": "lars", "name": "options", "rate": 2.0, "l2": 0.01, "gradients": "sparse",
           "options": {"optim.momentum": 0.5, "optim.trust_coefficient": 0.02}}
    yield {"optimizer": "lars", "name": "bias", "rate": 0.02, "l2": 0.1, "penalized": False}
    yield {"optimizer": "lars", "name": "from_zero", "rate": 0.02, "start": ZEROS, "gradients": "sparse"}
    yield {"optimizer": "lamb", "name": "plain", "rate": 0.02}
    yield {"optimizer": "lamb", "name": "decay_and_drop", "rate": 0.02, "decay": 0.1, "drop": True}
    yield {"optimizer": "lamb", "name": "tiny", "rate": 0.02, "gradients": "tiny", "options": {"optim.epsilon": 1}}
    yield {"optimizer": "lamb", "name": "betas", "rate": 0.02, "gradients": "sparse",
           "options": {"optim.beta1": 0.5, "optim.beta2": 0.9}}
    yield {"optimizer": "lamb", "name": "bias", "rate": 0.02, "decay": 0.1, "penalized": False}
    yield {"optimizer": "lamb", "name": "from_zero", "rate": 0.02, "start": ZEROS, "gradients": "sparse"}
    yield {"optimizer": "ftrl", "name": "plain", "rate": 0.2, "start": ZEROS}
    yield {"optimizer": "ftrl", "name": "l1_and_l2", "rate": 0.2, "start": ZEROS, "l1": 1.0, "l2": 0.5}
    yield {"optimizer": "ftrl", "name": "sparse_drop", "rate": 0.2, "gradients": "sparse", "l1": 0.5, "drop": True}
    yield {"optimizer": "ftrl", "name": "beta", "rate": 0.2, "l2": 0.1, "options": {"optim.beta": 0.1}}
    yield {"optimizer": "ftrl", "name": "tiny", "rate": 0.2, "start": ZEROS, "gradients": "tiny"}
    yield {"optimizer": "sgd", "name": "l1", "rate": 0.1, "l1": 0.5}
    yield {"optimizer": "sgd", "name": "l1_decay", "rate": 0.1, "l1": 0.2, "decay": 0.3, "gradients": "sparse"}
    yield {"optimizer": "momentum", "name": "l1", "rate": 0.05, "l1": 0.1}
    yield {"optimizer": "adagrad", "name": "l1", "rate": 0.2, "l1": 0.5}
    yield {"optimizer": "adam", "name": "l1", "rate": 0.05, "l1": 0.3}


def main():
    gradients = trace_file.gradient_sets()
    with open("numpy_traces.txt", "w") as file:
        trace_file.write_gradients(file)
        for case in cases():
            rows = gradients[case.get("gradients", "plain")].astype(np.float64)
            start = np.array(case.get("start", trace_file.START))
            trace = RULES[case["optimizer"]](case, start, zip(trace_file.rates(case), rows))
            trace_file.write_case(file, case, trace)


main()
