#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""read_cache.py FILE: rows, entries and sums of features and labels of a cache file, read with NumPy alone."""
import sys
import numpy as np

path = sys.argv[1]
rows, features, shape, rows_at = np.fromfile(path, "<u8", 7)[[2, 3, 4, 5]].tolist()
kind = int(np.fromfile(path, "<u4", 4)[3])
label = [("label", "<f8" if shape & 0xFF == 8 else "<f4")] + [("weight", "<f4")] * (shape >> 32)
first = [("end", "<u8")] if kind == 3 else [("x", ["<f4", "<f2", "u1"][kind], features)]
data = np.memmap(path, np.dtype(first + label), "r", rows_at, rows)
if kind == 3:
    data_entries = np.memmap(path, np.dtype([("column", "<u4"), ("value", "<f4")]), "r", 4096, int(data["end"][-1]))
values = data_entries["value"] if kind == 3 else data["x"]
print(rows, values.size, "%.4f" % values.sum(dtype="f8"), "%.4f" % data["label"].sum(dtype="f8"))
