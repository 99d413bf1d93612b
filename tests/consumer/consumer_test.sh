#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A program from outside finds the installed library, needs no header of the libraries under it, and trains its own
# model with its own loss on two ranks, with the bits of one rank.
set -euo pipefail
source=$1 build=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cmake --install "$build" --prefix "$folder/installed" >/dev/null
[[ -x $folder/installed/bin/lockstep ]]
"$folder/installed/bin/lockstep" --version

# A copy: nothing may be found by its place in the source tree.
cp -r "$source/tests/consumer" "$folder/source"
cmake -S "$folder/source" -B "$folder/build" -G Ninja -D CMAKE_BUILD_TYPE=Release \
  -D CMAKE_PREFIX_PATH="$folder/installed"
cmake --build "$folder/build" --verbose >"$folder/commands.txt" || { cat "$folder/commands.txt"; exit 1; }
if grep -E -- '-march|eigen3|openmpi/include' "$folder/commands.txt"; then
  echo "the library's own flags or includes reach the consumer" >&2
  exit 1
fi
consumer=$folder/build/consumer
"$consumer" --version

# The check of the instruction set is linked into the consumer too.
status=0
qemu-x86_64 -cpu Nehalem "$consumer" --version || status=$?
[[ $status == 69 ]]

cd "$folder"
for ranks in 1 2; do
  "$consumer" train -n "$ranks" -c source/quadratic.toml --run-dir "run$ranks"
  # Equal hashes prove nothing if both ran on one rank.
  grep -E "\"ranks\": *$ranks\b" "run$ranks/summary.json"
  grep -o '"parameters_hash": *"[0-9a-f]*"' "run$ranks/summary.json" >"hash$ranks"
done
cmp hash1 hash2
