#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the tensors of a model file, read with NumPy alone: name, shape and Euclidean norm, a line each."""
import json
import sys

import numpy as np

with open(sys.argv[1], "rb") as file:
    header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    data = file.read()
for name, entry in header.items():
    if name != "__metadata__":
        begin, end = entry["data_offsets"]
        tensor = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
        print(name, "x".join(map(str, tensor.shape)), f"{np.linalg.norm(tensor.astype(float)):.6g}")
