#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# malformed_test.sh SOURCE BUILD [LINES]
#
# So many malformed lines of every kind (1,000,000 by hand, few in the suite), CSV and LIBSVM: each kind is refused with
# file:line; with data.on_bad_row = "skip" the first twenty are named, all are counted, and the same rows are left for
# any number of ranks, with a cache file and without.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
set -e
lines=${3:-2000}

train() {
  "$build/lockstep" train --overwrite --run-dir run --set model.name=linear --set train.batch=256 --set train.epochs=1 \
    --set optim.learning_rate=1e-5 --set log.progress=none --set eval.train=never --set data.format="$format" "$@"
}

/usr/bin/python3 "$source/tests/data/malformed.py" . "$lines" >kinds
(($(wc -l <kinds) > 30))
while IFS=$'\t' read -r file line what; do
  format=csv
  [[ $file == *.csv ]] || format=libsvm
  code=0
  train --set "data.train=$file" >said 2>&1 || code=$?
  [[ $code == 65 ]] && grep -q -F "$file:$line:" said && grep -q -F -- "$what" said ||
    { echo "$file ($what) ended with $code:"; cat said; exit 1; }
done <kinds
echo "every kind is refused with its line"

for format in csv libsvm; do
  file=all.csv
  [[ $format == csv ]] || file=all.svm
  for ranks in 1 2 3; do
    for cache in on off; do
      [[ $cache == on || $ranks != 2 ]] || continue
      train -n $ranks --set "data.train=$file" --set data.on_bad_row=skip --set data.cache=$cache >said 2>&1 ||
        { cat said; exit 1; }
      grep -o '"parameters_hash": .*' run/summary.json
      skipped=$(grep -o '"skipped_rows": [0-9]*' run/summary.json)
      [[ $skipped == "\"skipped_rows\": $lines" ]] || { echo "$skipped of $lines bad lines"; exit 1; }
    done
  done >hashes
  sort -u hashes
  [[ $(sort -u hashes | wc -l) == 1 ]]
  # Of those a parser finds and of those that only the regression refuses.
  named=$(grep -c "^ *$file:[0-9]*:" run/log.txt)
  ((named == 40 || lines < 400)) || { echo "$named lines are named"; exit 1; }
done
