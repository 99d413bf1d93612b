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
for type in float16 uint8; do
  for rows in rows.svm rows.svm.one; do
    expect 65 "sparse rows are kept as float32 alone" "$lockstep" data convert $rows -o large --type $type
  done
  expect 65 "sparse rows are kept as float32 alone" "$lockstep" data split rows.svm -o large --valid 0.5 --type $type
  expect 65 "sparse rows are kept as float32 alone" "$lockstep" data synth demo:sparse?rows=9 -o large --type $type
done
convert rows.svm again --type float32
cmp again rows.svm.one
expect 64 "float32, float16 or uint8" "$lockstep" data convert rows.csv -o large --type int4
expect 64 "needs -o FILE" "$lockstep" data convert rows.csv

echo "-- categories, weights and words as labels go along"
onehot=(--set data.categories=onehot)
convert words.csv words.one "${onehot[@]}"
convert words.one words.two "${onehot[@]}"
cmp <(head_of words.one) <(head_of words.two)
train() {
  "$lockstep" train --set "data.train=$1" "${onehot[@]}" --set model.name=logistic --set train.steps=20 --set log.progress=none \
    --overwrite --run-dir "run-$1" | grep parameters_hash
}
[[ $(train words.csv) == "$(train words.two)" ]]
cmp <("$lockstep" predict run-words.two --data words.two --out -) <("$lockstep" predict run-words.two --data words.csv --out -)
expect 65 "columns of words are kept as float32 alone" "$lockstep" data convert words.csv -o none --type float16 "${onehot[@]}"

echo "-- head prints categories by their texts, and leaves missing fields empty"
printf '1,red,0\n2,"light, ""pale"" blue",1\n,green,0\n4,?,1\n5,red,0\n' >tiny.csv
missing=("${onehot[@]}" --set data.missing=mean)
convert tiny.csv tiny.rows "${missing[@]}"
cmp <(sed 's/?//' tiny.csv) <(head_of tiny.rows)
expect 0 "^categories  *feature 2: 3$" "$lockstep" data inspect tiny.rows
head_of tiny.rows >tiny-again.csv
convert tiny-again.csv tiny-again.rows "${missing[@]}"
cmp <(head_of tiny.rows) <(head_of tiny-again.rows)
expect 0 "^categories  *colour: " "$lockstep" data inspect words.one
cmp <(head_of words.one | cut -d , -f 2) <(cut -d , -f 2 words.csv)

echo "-- lists, patterns, and cache files made of them"
for i in 1 2 3; do
  awk -v i=$i 'NR == 1 || NR % 3 == i - 1' words.csv >part-$i.csv
  convert part-$i.csv one-$i.rows "${onehot[@]}"
done
parts=part-1.csv,part-2.csv,part-3.csv ones=one-1.rows,one-2.rows,one-3.rows
convert 'part-?.csv' list.rows "${onehot[@]}"
convert list.rows again.rows
convert $ones ones.rows
convert ones.rows,list.rows both.rows
expect 0 ": ok" "$lockstep" data verify list.rows again.rows ones.rows both.rows
for rows in list again ones; do
  [[ $(train $parts) == "$(train $rows.rows)" ]]
  cmp <("$lockstep" data inspect list.rows | grep '^file ') <("$lockstep" data inspect $rows.rows | grep '^file ')
done
[[ $("$lockstep" data inspect both.rows | grep -c '^file  *part-[123].csv$') == 6 ]]
for source in $parts 'part-?.csv' list.rows $ones; do
  "$lockstep" data split "$source" -o sq --valid 0.2 --test 0.1 "${onehot[@]}"
  expect 0 ": ok" "$lockstep" data verify sq-train.rows sq-valid.rows sq-test.rows
  expect 0 "file  *part-3.csv" "$lockstep" data inspect sq-train.rows
  for part in train valid test; do head_of sq-$part.rows; done | grep -v '^[a-z]*,' | sort >found
  cmp <(head_of list.rows | grep -v '^[a-z]*,' | sort) found
  train sq-train.rows >hash
  [[ ! -e first-hash ]] || cmp first-hash hash
  mv hash first-hash
done
printf '1,2,0\n3,4,1\n' >big-1.csv
printf '5,6,0\n7,1e5,1\n' >big-2.csv
convert 'big-?.csv' big.rows
convert big.rows big2.rows
for source in big.rows big2.rows big-1.csv,big-2.csv; do
  expect 65 "^lockstep: big-2.csv:2: feature 2 is 1e+05" "$lockstep" data convert $source -o none --type float16
  expect 65 "^lockstep: big-2.csv:2: feature 2 is 1e+05" "$lockstep" data split $source -o none --valid 0.5 --type float16
done

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

echo "-- no command writes over what it reads"
printf '1,2,0\n3,4,1\n' >vic.csv
printf '5,6,0\n7,8,1\n' >part-train.rows
ln -s vic.csv link.csv
train rows.csv
cp vic.csv vic-copy
untouched() {
  expect 64 "would be overwritten" "$lockstep" "$@"
  cmp vic.csv vic-copy
}
untouched data convert vic.csv -o vic.csv
untouched data convert vic.csv -o ./link.csv -n 2
untouched data convert part-1.csv,vic.csv -o vic.csv
convert vic.csv vic.rows
cp vic.rows rows-copy
untouched data convert vic.rows -o vic.rows --type float16
cmp vic.rows rows-copy
untouched data split part-train.rows -o part --valid 0.2
cmp <(printf '5,6,0\n7,8,1\n') part-train.rows
untouched predict run-rows.csv --data vic.csv --out vic.csv
untouched predict run-rows.csv --data 'vi?.csv' --out link.csv
untouched predict run-rows.csv --data rows.csv --out run-rows.csv/model.safetensors
untouched checkpoint export run-rows.csv/model.safetensors --out run-rows.csv/model.safetensors
convert vic.csv vic.rows
cmp vic.rows rows-copy

echo "-- options that do not apply are named"
expect 0 "warning: data.hash_bits = 10 is not followed" "$lockstep" train --set data.train=rows.csv --set data.hash_bits=10 \
  --set model.name=logistic --set train.steps=2 --overwrite --run-dir run-hash
printf '1,2,3\n4,x,6\n' >bad.csv
for ranks in 1 2; do
  expect 65 'bad.csv:2:3: .*data.on_bad_row = "skip" does not apply' \
    "$lockstep" predict run-rows.csv --data bad.csv --out - --set data.on_bad_row=skip -n $ranks
done
expect 65 "bad.csv:2:3: " "$lockstep" predict run-rows.csv --data bad.csv --out -
if has_word out "does not apply"; then exit 1; fi
expect 65 "none.csv" "$lockstep" predict run-rows.csv --data none.csv --out - --set data.on_bad_row=skip
if has_word out "does not apply"; then exit 1; fi

echo "-- a model is used on rows that are hashed as its training data was"
awk 'BEGIN { srand(8); print "a,b,c,y"
  for (i = 0; i < 400; i++) printf "%.3f,%.3f,w%d,%d\n", rand(), rand(), i % 3, i % 2 }' >q.csv
awk 'BEGIN { srand(9); for (i = 0; i < 400; i++) printf "%d %d:%.2f %d:%.3f\n", i % 2, 1 + rand() * 9,
  rand(), 11 + rand() * 90, rand() }' >f.svm
fit() {
  "$lockstep" train --set "data.train=$1" --set model.name=logistic --set train.steps=5 --set log.progress=none \
    --run-dir "$2" "${@:3}" >out 2>&1
}
fit q.csv hashed-columns --set data.categories=hash --set data.hash_bits=10 --set data.label=y
cut -d, -f 1-3 q.csv >q-nolabel.csv
tail -n +2 q.csv >q-noheader.csv
sed '1s/b/z/' q.csv >q-renamed.csv
cmp <("$lockstep" predict hashed-columns --data q.csv --out -) <("$lockstep" predict hashed-columns --data q-nolabel.csv --out -)
expect 65 "no line with the names of its columns" "$lockstep" eval hashed-columns --data q-noheader.csv --set data.label=3
expect 65 'has "z" as feature 2, the training data has "b"' "$lockstep" eval hashed-columns --data q-renamed.csv -n 2
fit f.svm hashed-pairs --set data.hash_bits=12
convert f.svm f0.rows
convert f.svm f4.rows --set data.hash_bits=4
convert f.svm f12.rows --set data.hash_bits=12
convert f.svm f12s.rows --set data.hash_bits=12 --set data.hash_seed=5
cmp <("$lockstep" eval hashed-pairs --data f.svm) <("$lockstep" eval hashed-pairs --data f12.rows)
expect 78 "features of this cache file are not hashed, but data.hash_bits = 12" "$lockstep" eval hashed-pairs --data f0.rows
expect 78 "are hashed with data.hash_bits = 12 and data.hash_seed = 5" "$lockstep" eval hashed-pairs --data f12s.rows
expect 78 "are hashed with data.hash_bits = 4" "$lockstep" predict hashed-pairs --data f4.rows --out -
expect 78 "are not hashed, but data.hash_bits = 4" "$lockstep" train --set data.train=f0.rows --set data.hash_bits=4 --set model.name=logistic --run-dir none
expect 65 "(model.init) was trained on other features than those of data.train" "$lockstep" train --set data.train=f12s.rows \
  --set model.name=logistic --set model.init=hashed-pairs --run-dir none
fit f12.rows from-cache
expect 65 "set data.hash_bits = 12 and data.hash_seed = 1" "$lockstep" eval from-cache --data f.svm
"$lockstep" eval from-cache --data f.svm --set data.hash_bits=12 >found
cmp <("$lockstep" eval from-cache --data f12.rows) found

echo "-- a value that is missing is refused from a cache file too"
sed '1!s/^[^,]*/NA/;5q' q.csv | cut -d, -f 1,2,4 >missing.csv
cut -d, -f 1,2,4 q.csv >numbers.csv
convert missing.csv missing.rows --set data.missing=mean
fit numbers.csv numbers
for command in "eval numbers" "predict numbers --out -" "train --run-dir none --set model.name=logistic --set data.train=missing.rows"; do
  data=(--data missing.rows)
  [[ $command != train* ]] || data=()
  # shellcheck disable=SC2086
  expect 65 "missing.rows: feature 1 (a) of row 1 (missing.csv:2) is missing" "$lockstep" $command "${data[@]}"
done
fit missing.rows means --set data.missing=mean
cmp <("$lockstep" predict means --data missing.csv --out -) <("$lockstep" predict means --data missing.rows --out -)

echo "-- label:weight is read as in the training data where labels are not needed"
awk 'BEGIN { srand(6); for (i = 0; i < 400; i++) printf "%d:%.2f %d:%.3f %d:%.3f\n", 1 + i % 2, 0.5 + i % 4, 1 + rand() * 9,
  rand(), 11 + rand() * 9, rand() }' >weights.svm
sed 's/:[^ ]* / /' weights.svm >labels.svm
fit weights.svm weighted
cmp <("$lockstep" predict weighted --data weights.svm --out -) <("$lockstep" predict weighted --data labels.svm --out -)
