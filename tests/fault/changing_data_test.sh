#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Case 23: a file that is cut or changed while its rows are streamed ends the run with 65 and its name; no SIGBUS.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
limit_s=20
"$lockstep" data synth "demo:logistic?rows=150000&features=28" -o whole.cache > out 2>&1 || complain "data synth"
train=(train --set model.name=logistic --set data.train=rows.cache --set data.memory_limit=4MB --set train.epochs=200
  --set comm.timeout_s=10 "${quiet[@]}")

for ranks in 1 2; do
  for change in "truncate --size=1000000 rows.cache" "truncate --size=0 rows.cache"; do
    echo "== $change, $ranks ranks"
    cp whole.cache rows.cache
    "$lockstep" "${train[@]}" -n "$ranks" --run-dir "run$ranks" --overwrite > out 2>&1 &
    process=$!
    await_steps "run$ranks"
    $change
    await_end $process $limit_s
    ((code == 65)) || complain "code $code instead of 65"
    grep -q "rows.cache" out || complain "the file is not named"
    expect_no_model "run$ranks"
  done
done

finish "data that change under a run end it"
