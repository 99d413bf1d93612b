#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The commands of README.md (its ```sh blocks) run as written, one after the other, in a folder that looks like a
# fresh clone after the build. Those that install, build or test are run by tests/run.sh and not again here. The
# environment shortens training to two epochs: what is checked is that the commands exist and fit together.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
set -e
mkdir build
ln -s "$build" build/release
for entry in configs launch tests; do ln -s "$source/$entry" "$entry"; done

commands=$(awk '/^```sh$/ {inside = 1; next} /^```$/ {inside = 0} inside' "$source/README.md" |
  grep -v -E '^(#|$|git |cd |cmake |launch/quickstart\.sh|tests/)')
((10 <= $(wc -l <<<"$commands")))
export LOCKSTEP__TRAIN__EPOCHS=2
while read -r command; do
  echo "== $command"
  bash -o errexit -c "$command" </dev/null
done <<<"$commands"

# `-n 2` means two ranks, not twice one.
grep -E '"ranks": *2\b' runs/mlp/summary.json
