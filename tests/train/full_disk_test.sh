#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A disk that is full voids the checkpoints that do not fit, and nothing else: training goes on to the same bits, and
# those before load. Wants to mount a small file system; where that is not allowed it says so, and fails with
# --require behind source and build directory.
set -uo pipefail
build=$2
folder=$(mktemp -d)
disk=$folder/full/checkpoints
trap 'umount "$disk" 2> /dev/null; rm -rf "$folder"' EXIT
cd "$folder"

fail() {
  echo "FAILED: $*"
  cat out
  exit 1
}

settings=(--set model.name=softmax --set data.train=demo:blobs?rows=500\&features=2000 --set optim.name=adam
  --set train.steps=12 --set "checkpoint.every=4 steps" --set checkpoint.keep=9 --set checkpoint.background=false
  --set log.progress=none --set log.curves=false --set eval.train=never)
"$build/lockstep" train "${settings[@]}" --run-dir golden > out 2>&1 || fail "the undisturbed run"
size=$(du -sk golden/checkpoints/step-000000000004-g0001 | cut -f1)

mkdir -p "$disk"
if ! mount -t tmpfs -o size=$((size * 2 - size / 2))k none "$disk" 2> /dev/null; then
  echo "no file system may be mounted here: nothing was tried"
  [[ ${3:-} != --require ]] || exit 1
  exit 0
fi
cp golden/config.toml full/
"$build/lockstep" resume full > out 2>&1 || fail "training did not go on"
cmp golden/model.safetensors full/model.safetensors || fail "other bits"
grep -q "no checkpoint at step 8: .*No space left" full/log.txt || fail "no word of the full disk"
"$build/lockstep" checkpoint verify full > out 2>&1 || fail "a checkpoint is damaged"
grep -q "step-000000000004-g0001: ok" out || fail "the first checkpoint is gone"
! ls -d "$disk"/step-000000000008* 2> /dev/null || fail "a checkpoint that did not fit left something"

rm full/model.safetensors full/summary.json
"$build/lockstep" resume full > out 2>&1 || fail "the run cannot be resumed"
cmp golden/model.safetensors full/model.safetensors || fail "other bits after a resume"
echo "a full disk costs the checkpoints that do not fit"
