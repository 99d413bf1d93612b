#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A cache file opens without this program: NumPy finds the rows that `data head` prints. `data verify` finds a
# byte that is wrong, and a second start reads the file that the first one made.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
set -e

awk 'BEGIN { srand(3); print "a,b,weight,label"
  for (i = 0; i < 1000; i++) printf "%.3f,%.3f,%.2f,%d\n", rand(), -rand(), rand(), rand() * 3 }' >rows.csv
awk 'BEGIN { srand(4); for (i = 0; i < 1000; i++) printf "%d %d:%.3f %d:%.3f\n", rand() * 2, 1 + rand() * 9, rand(), 11 + rand() * 9, rand() }' >rows.svm

train() {
  "$build/lockstep" train -n 2 $weight --set "data.train=$1" --set data.cache=on --set model.name=softmax --set train.epochs=1 \
    --run-dir "run-$2" "${@:3}" | grep parameters_hash
}
for rows in rows.csv rows.svm; do
  weight=
  [[ $rows == *.csv ]] && weight=--set=data.weight=weight
  train $rows "$rows-1" >first
  stamp=$(stat -c %y runs.cache/$rows-*)
  train $rows "$rows-2" >second
  [[ $(stat -c %y runs.cache/$rows-*) == "$stamp" ]]
  train $rows "$rows-3" --set data.cache=off >third
  diff first second
  diff first third
  cache=$(echo runs.cache/$rows-*)
  /usr/bin/python3 "$source/tests/data/read_cache.py" $cache >read
  cat read
  "$build/lockstep" data head $cache --rows 1000 >head
  # The shortest text of a float stands for the float.
  if [[ $rows == *.csv ]]; then
    awk -F, 'NR > 1 { n += NF - 2; x += $1 + $2; y += $NF } END { printf "%d %d %.4f %.4f\n", NR - 1, n, x, y }' head >expected
  else
    awk '{ y += $1; for (i = 2; i <= NF; i++) { split($i, e, ":"); n++; x += e[2] } }
      END { printf "%d %d %.4f %.4f\n", NR, n, x, y }' head >expected
  fi
  diff read expected
  "$build/lockstep" data inspect $cache | grep -E '^rows +1000$'
  "$build/lockstep" data verify $cache | grep ': ok$'
  printf 'x' | dd of=$cache bs=1 seek=5000 conv=notrunc status=none
  if "$build/lockstep" data verify $cache 2>said; then exit 1; fi
  grep 'is damaged: bytes 4096 … 20479' said
done
