#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A disk that is full voids the checkpoints that do not fit, and nothing else: training goes on to the same bits, and
# those before load. Wants to mount a small file system; where that is not allowed it says so, and fails with
# --require behind source and build directory.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
set -e
disk=$folder/full/checkpoints
clean_up() { umount "$disk" 2> /dev/null || true; }

settings=(--set model.name=softmax --set data.train=demo:blobs?rows=500\&features=2000 --set optim.name=adam
  --set train.steps=12 --set "checkpoint.every=4 steps" --set checkpoint.keep=9 --set checkpoint.background=false
  "${quiet[@]}")
"$lockstep" train "${settings[@]}" --run-dir golden > out 2>&1 || complain "the undisturbed run"
size=$(du -sk golden/checkpoints/step-000000000004-g0001 | cut -f1)

mkdir -p "$disk"
if ! mount -t tmpfs -o size=$((size * 2 - size / 2))k none "$disk" 2> /dev/null; then
  give_up "a full disk" "no file system may be mounted here"
fi
cp golden/config.toml full/
"$lockstep" resume full > out 2>&1 || complain "training did not go on"
cmp golden/model.safetensors full/model.safetensors || complain "other bits"
grep -q "no checkpoint at step 8: .*No space left" full/log.txt || complain "no word of the full disk"
"$lockstep" checkpoint verify full > out 2>&1 || complain "a checkpoint is damaged"
grep -q "step-000000000004-g0001: ok" out || complain "the first checkpoint is gone"
! ls -d "$disk"/step-000000000008* 2> /dev/null || complain "a checkpoint that did not fit left something"

rm full/model.safetensors full/summary.json
"$lockstep" resume full > out 2>&1 || complain "the run cannot be resumed"
cmp golden/model.safetensors full/model.safetensors || complain "other bits after a resume"
echo "a full disk costs the checkpoints that do not fit"
