#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Case 38: clocks that jump by an hour, either way, end no wait and change no bit; times of files do not decide which
# checkpoint is the newest.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
library=$(find /usr/lib -name 'libfaketime.so.1' 2> /dev/null | head -n 1)
train=(train --set model.name=mlp --set model.hidden=120,90 --set "data.train=demo:blobs?rows=3000&features=50&classes=6"
  --set train.batch=1000 --set train.shards=8 --set train.steps=2500 --set comm.timeout_s=20
  --set checkpoint.every=1s --set checkpoint.keep=100 "${quiet[@]}")
"$lockstep" "${train[@]}" --run-dir golden > out 2>&1 || complain "the undisturbed run"

if [[ -z $library ]]; then
  not_tested "a clock that jumps" "libfaketime is missing (Debian: faketime)"
else
  echo "== the clock jumps while two ranks train"
  echo "+0" > offset
  # The monotonic clock cannot jump, so it is left alone.
  env LD_PRELOAD="$library" FAKETIME_TIMESTAMP_FILE="$folder/offset" FAKETIME_NO_CACHE=1 \
    FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_RESET=1 "$lockstep" "${train[@]}" -n 2 --run-dir jumping > out 2>&1 &
  process=$!
  await_steps jumping
  for jump in +1h -1h +1h; do
    sleep 0.4
    echo "$jump" > offset.new && mv offset.new offset
  done
  await_end $process 60
  ((code == 0)) || complain "code $code under a clock that jumps"
  (($(cut -c 1-13 jumping/log.txt | sort -u | wc -l) > 1)) || complain "the clock did not jump"
  expect_hash jumping "$(hash_of golden)"
fi

echo "== the newest checkpoint has the oldest time"
"$lockstep" "${train[@]}" --set checkpoint.every="100 steps" --run-dir resumed > out 2>&1 || complain "a run"
rm resumed/model.safetensors
year=2030
for checkpoint in resumed/checkpoints/step-*; do
  touch --date="$year-01-01" "$checkpoint"
  year=$((year - 1))
done
newest=$(ls resumed/checkpoints | grep -o '^step-[0-9]*' | sort -u | tail -n 1)
"$lockstep" resume resumed > out 2>&1 || complain "resume"
grep -q "resumes from .* at step $((10#${newest#step-})) " resumed/log.txt || complain "does not resume from $newest"
expect_hash resumed "$(hash_of golden)"

finish "clocks decide nothing"
