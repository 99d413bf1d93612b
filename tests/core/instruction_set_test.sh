#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A processor without the instructions the program is built for gets a sentence and exit code 69; others run it.
set -euo pipefail
program=$2/lockstep

status=0
sentence=$(qemu-x86_64 -cpu Nehalem "$program" --version 2>&1) || status=$?
echo "$sentence"
[[ $status == 69 ]]
[[ $sentence == *"processor lacks "*avx2* ]]
[[ $(wc -l <<<"$sentence") == 1 ]]

# One missing extension is enough, and is named alone.
status=0
sentence=$(qemu-x86_64 -cpu max,-fma "$program" --version 2>&1) || status=$?
echo "$sentence"
[[ $status == 69 ]]
[[ $sentence == *"processor lacks fma;"* ]]

qemu-x86_64 -cpu max "$program" --version
