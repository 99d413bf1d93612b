# SPDX-License-Identifier: Apache-2.0
"""PyTorch, one thread a process; with RANK and WORLD_SIZE in the environment DistributedDataParallel over Gloo.

As fast as plain eager PyTorch goes: rows are views of one tensor, no DataLoader, nothing is read back in a step.
"""
import os
import time

import torch
from torch import nn

from workload import answer, asked_workload

torch.set_num_threads(1)
torch.set_num_interop_threads(1)


def make_network(layers):
    modules = []
    for weight, bias in layers:
        modules += [nn.Linear(*weight.shape), nn.ReLU()]
    network = nn.Sequential(*modules[:-1])
    set_layers(network, layers)
    return network


def linear_layers(network):
    return [module for module in network if isinstance(module, nn.Linear)]


def set_layers(network, layers):
    with torch.no_grad():
        for module, (weight, bias) in zip(linear_layers(network), layers):
            module.weight.copy_(torch.from_numpy(weight.T.copy()))
            module.bias.copy_(torch.from_numpy(bias))


def main():
    workload = asked_workload()
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    network = make_network(workload.layers)
    trained = network
    if ranks > 1:
        torch.distributed.init_process_group("gloo")
        trained = nn.parallel.DistributedDataParallel(network)
    x = torch.from_numpy(workload.x)
    if workload.is_logistic:
        y, criterion = torch.from_numpy(workload.y).reshape(-1, 1), nn.BCEWithLogitsLoss()
    else:
        y, criterion = torch.from_numpy(workload.y).long(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(trained.parameters(), lr=workload.rate)
    share = workload.batch // ranks

    def run(windows):
        for first, _ in windows:
            first += rank * share
            optimizer.zero_grad(set_to_none=True)
            criterion(trained(x[first:first + share]), y[first:first + share]).backward()
            optimizer.step()

    run(workload.windows(20))  # to warm up
    set_layers(network, workload.layers)
    if ranks > 1:
        torch.distributed.barrier()
    start = time.perf_counter()
    run(workload.windows())
    seconds = time.perf_counter() - start
    if rank == 0:
        layers = [(m.weight.detach().numpy().T, m.bias.detach().numpy()) for m in linear_layers(network)]
        answer(workload, seconds, layers, torch.__version__)
    if ranks > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


main()
