#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every file in configs/ is a valid experiment: it trains one step and leaves a summary and a model.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
set -e

configs=("$source"/configs/*.toml)
((${#configs[@]} >= 7))
for config in "${configs[@]}"; do
  name=$(basename "$config" .toml)
  echo "== $name"
  "$build/lockstep" train -c "$config" --set train.steps=1 --run-dir "$name"
  [[ -s $name/summary.json && -s $name/model.safetensors ]]
done
