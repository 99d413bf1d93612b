#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Cases 19 to 22: ranks that do not have the same configuration, program or data start nothing, and all end together.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
limit_s=30
train=(train --set model.name=logistic --set data.train=rows.csv "${quiet[@]}" --run-dir "$folder/run")

mkdir one other
for ((i = 0; i < 40; ++i)); do echo "$((i * 7 % 11)),$((i * 3 % 5)),$((i % 2))"; done > body
(echo "a,b,label" && cat body) > one/rows.csv
cp one/rows.csv other/rows.csv

# expect_disagreement CODE MESSAGE FIRST-PROGRAM SECOND-PROGRAM [SET...]: rank 0 runs in one/, rank 1 in other/.
expect_disagreement() {
  local code=$1 message=$2 first=$3 second=$4
  shift 4
  expect_within $limit_s "$code" "$message" "${mpi[@]}" -n 1 --wdir "$folder/one" "$first" "${train[@]}" \
    : -n 1 --wdir "$folder/other" "$second" "${train[@]}" "$@"
  (($(grep -c '^lockstep: ' out) == 1)) || complain "not one message but $(grep -c '^lockstep: ' out)"
  [[ ! -e run ]] || { complain "a run directory is left" && rm -r run; }
}

echo "-- 19: configuration"
expect_disagreement 76 "do not have the same configuration.*rank 1 on $(hostname)" "$lockstep" "$lockstep" \
  --set optim.learning_rate=0.2

echo "-- 20: program"
# Another linker's number, as any other source or option gives.
number=$(readelf --notes "$lockstep" | sed -n 's/.*Build ID: *//p')
/usr/bin/python3 - "$lockstep" newer "$number" << 'PYTHON'
import sys
program, number = open(sys.argv[1], "rb").read(), bytes.fromhex(sys.argv[3])
assert program.count(number) == 1
open(sys.argv[2], "wb").write(program.replace(number, number[::-1]))
PYTHON
chmod +x newer
expect_disagreement 76 "do not have the same build.*rank 1 on $(hostname)" "$lockstep" "$folder/newer"

echo "-- 21: data of the same size"
sed -i '7s/1$/0/' other/rows.csv
[[ $(stat -c %s one/rows.csv) == "$(stat -c %s other/rows.csv)" ]] || complain "the sizes differ"
! cmp -s one/rows.csv other/rows.csv || complain "the data are the same"
expect_disagreement 76 "do not have the same training and validation data.*rank 1 on $(hostname)" \
  "$lockstep" "$lockstep"

echo "-- 22: data missing, or not to be read, on one host"
rm other/rows.csv
expect_disagreement 65 "rows.csv: no such file" "$lockstep" "$lockstep"
grep -q "rank 1 on $(hostname)" out || complain "the rank is not named"
mkdir other/rows.csv
expect_disagreement 65 "rows.csv" "$lockstep" "$lockstep"

finish "ranks that differ do not train"
