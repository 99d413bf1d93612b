#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# data convert and data split: rows survive every way through cache files, and the parts of a split are all rows, each
# once.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
set -e

head_of() { "$lockstep" data head "$1" --rows 1000000; }
convert() { "$lockstep" data convert "$1" -o "$2" "${@:3}"; }

# Values that float16 and bytes hold too.
awk 'BEGIN { srand(5); print "a,b,c,label"
  for (i = 0; i < 3000; i++) printf "%d,%d,%d,%s\n", i % 200, rand() * 200, i / 20, i % 3 ? "oak" : "ash" }' >rows.csv
awk 'BEGIN { srand(6); for (i = 0; i < 3000; i++) printf "%d:%.2f %d:%.3f %d:%.3f\n", i % 2, 0.5 + i % 4, 1 + rand() * 9,
  rand(), 11 + rand() * 9, rand() }' >rows.svm
awk 'BEGIN { srand(7); print "a,colour,label"
  for (i = 0; i < 3000; i++) printf "%.3f,c%d,%d\n", rand(), rand() * (i + 1), i % 2 }' >words.csv

echo "-- text, and a cache file of every type"
for rows in rows.csv rows.svm; do
  convert $rows $rows.one
  convert $rows $rows.three -n 3
  cmp $rows.one $rows.three
  head_of $rows.one >expected
  [[ $(wc -l <expected) -ge 3000 ]]
  convert $rows.one again
  head_of again >found
  cmp expected found
  expect 0 ": ok" "$lockstep" data verify $rows.one again
done
for type in float32 float16 uint8; do
  convert rows.csv.one $type --type $type
  convert rows.csv direct --type $type
  convert $type back --type float32
  for file in $type direct back; do
    head_of $file >found
    cmp <(head_of rows.csv.one) found
    expect 0 ": ok" "$lockstep" data verify $file
  done
done
((4 * $(stat -c %s uint8) < 3 * $(stat -c %s float32)))

echo "-- what a type cannot hold is refused"
printf '1,2,0\n300,2,1\n' >large.csv
expect 65 "feature 1 is 300, a byte holds" "$lockstep" data convert large.csv -o large --type uint8
printf '1,2,0\n1e5,2,1\n' >large.csv
expect 65 "large.csv:2: feature 1 is 1e+05, float16 ends at 65504" "$lockstep" data convert large.csv -o large --type float16
[[ ! -e large ]]
expect 64 "float32, float16 or uint8" "$lockstep" data convert rows.csv -o large --type int4
expect 64 "needs -o FILE" "$lockstep" data convert rows.csv

echo "-- categories, weights and words as labels go along"
onehot=(--set data.categories=onehot)
convert words.csv words.one "${onehot[@]}"
convert words.one words.two "${onehot[@]}"
cmp <(head_of words.one) <(head_of words.two)
train() {
  "$lockstep" train --set "data.train=$1" "${onehot[@]}" --set model.name=logistic --set train.steps=20 --set log.progress=none \
    --run-dir "run-$1" | grep parameters_hash
}
[[ $(train words.csv) == "$(train words.two)" ]]
cmp <("$lockstep" predict run-words.two --data words.two --out -) <("$lockstep" predict run-words.two --data words.csv --out -)
expect 65 "columns of words are kept as float32 alone" "$lockstep" data convert words.csv -o none --type float16 "${onehot[@]}"

echo "-- a column is of words in all files of a list if it is in one, in any order, on any number of ranks"
printf 'a,zip,y\n1,A1,0\n2,B2,1\n3,C3,0\n4,A1,1\n' >p1.csv
printf 'a,zip,y\n5,0,0\n6,1,1\n7,2,0\n8,2,1\n' >p2.csv
printf 'a,zip,y\n8,7,0\n9,900,1\n5,-3,0\n6,7,1\n' >p3.csv
for list in p1.csv,p2.csv p2.csv,p1.csv p1.csv,p3.csv 'p[123].csv'; do
  for ranks in 1 2; do
    for cache in off on; do
      hash=$("$lockstep" train -n $ranks --set "data.train=$list" "${onehot[@]}" --set data.cache=$cache \
        --set model.name=logistic --set train.shards=2 --set train.steps=9 --set log.progress=none \
        --run-dir "lists/$list-$ranks-$cache" | grep parameters_hash)
      [[ $hash == "${first:=$hash}" ]]
    done
  done
  unset first
  "$lockstep" data split "$list" -o list --valid 0.3 "${onehot[@]}"
  convert "$list" list.one "${onehot[@]}"
  "$lockstep" predict "lists/$list-1-off" --data "$list" --out expected
  "$lockstep" predict "lists/$list-1-off" --data list.one --out found
  cmp expected found
  rows_of() { "$lockstep" data inspect list-$1.rows | awk '$1 == "rows" { print $2 }'; }
  (($(rows_of train) + $(rows_of valid) + 1 == $(wc -l <expected)))
done
"$lockstep" train --set data.train=p3.csv,p1.csv "${onehot[@]}" --set model.name=logistic --set train.steps=2 \
  --run-dir told >out 2>&1
grep -q 'categories: zip (6)$' out
convert p1.csv p1.rows "${onehot[@]}"
convert p2.csv p2.rows "${onehot[@]}"
convert p3.csv p3.rows "${onehot[@]}" --set data.category_columns=zip
expect 65 'p2.rows: column "zip" holds numbers, in the first file it holds words' \
  "$lockstep" train --set data.train=p1.rows,p2.rows --set model.name=logistic --run-dir none
expect 65 'column zip holds numbers, the training data has words there' \
  "$lockstep" eval lists/p1.csv,p3.csv-1-off --data p2.rows
cat p3.csv >both.csv
tail -n +2 p1.csv >>both.csv
cmp <("$lockstep" predict lists/p1.csv,p3.csv-1-off --data p3.rows,p1.rows --out -) \
  <("$lockstep" predict lists/p1.csv,p3.csv-1-off --data both.csv --out -)

echo "-- the parts of a split"
for rows in rows.csv rows.svm rows.csv.one words.csv; do
  "$lockstep" data split $rows -o part --valid 0.2 --test 0.1 "${onehot[@]}"
  convert $rows whole "${onehot[@]}"
  for part in train valid test; do head_of part-$part.rows; done | grep -v '^[a-z]*,' | sort >found
  cmp <(head_of whole | grep -v '^[a-z]*,' | sort) found
  rows_of() { "$lockstep" data inspect part-$1.rows | awk '$1 == "rows" { print $2 }'; }
  ((480 < $(rows_of valid) && $(rows_of valid) < 720 && 200 < $(rows_of test) && $(rows_of test) < 400))
  cp part-valid.rows first
  "$lockstep" data split $rows -o part --valid 0.2 --test 0.1 "${onehot[@]}"
  cmp first part-valid.rows
  "$lockstep" data split $rows -o part --valid 0.2 --test 0.1 --seed 2 "${onehot[@]}"
  if cmp -s first part-valid.rows; then exit 1; fi
done
expect 64 "leave rows for training" "$lockstep" data split rows.csv -o part --valid 0.5 --test 0.5
