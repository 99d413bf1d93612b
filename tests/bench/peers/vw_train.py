# SPDX-License-Identifier: Apache-2.0
"""Vowpal Wabbit with the arguments given as one text; prints the seconds from its start to its end."""
import sys
import time

import vowpalwabbit

start = time.perf_counter()
workspace = vowpalwabbit.Workspace(sys.argv[1])
workspace.finish()
print(time.perf_counter() - start)
