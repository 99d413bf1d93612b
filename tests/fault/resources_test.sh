#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Cases 39 and 40: output folders that cannot be written, or are another run's; too little memory, shared memory and
# open files. Everything ends at once with a sentence, or goes on with another way and says so.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
limit_s=15
train=(train --set model.name=logistic --set "data.train=demo:logistic?rows=2000" --set train.epochs=2 "${quiet[@]}")
"$lockstep" "${train[@]}" --run-dir golden > out 2>&1 || complain "the undisturbed run"
golden=$(hash_of golden)

echo "-- 39"
echo text > file
expect_within $limit_s 73 "file: is a file" "$lockstep" "${train[@]}" --run-dir file
expect_within $limit_s 73 "file/run: cannot be created" "$lockstep" "${train[@]}" -n 2 --run-dir file/run
expect_within $limit_s 73 "golden: is not empty" "$lockstep" "${train[@]}" --run-dir golden
expect_hash golden "$golden"
"$lockstep" "${train[@]}" --set train.epochs=1000000 --run-dir busy > busy.out 2>&1 &
process=$!
await_steps busy
for command in "train --overwrite" "resume"; do
  read -r -a words <<< "$command"
  [[ ${words[0]} == resume ]] && line=(resume busy) || line=("${words[@]}" "${train[@]:1}" --run-dir busy)
  expect_within $limit_s 73 "busy: is in use by another run" "$lockstep" "${line[@]}"
done
kill -USR1 $process
await_end $process 15
((code == 75)) || complain "the run whose folder others wanted ended with $code"
mkdir readonly
if unshare --mount true 2> /dev/null; then
  expect_within $limit_s 73 "readonly/run: cannot be created: Read-only" unshare --mount sh -c \
    'mount -t tmpfs -o ro tmpfs readonly && exec "$@"' sh "$lockstep" "${train[@]}" -n 2 --run-dir readonly/run
else
  not_tested "a read-only file system" "this user may not mount one (root may)"
fi

echo "-- 40: memory"
large=(--set model.name=mlp --set model.hidden=20000,20000)
# shellcheck disable=SC2016
limited='ulimit -v 600000 && exec "$@"'
expect_within $limit_s 69 "memory" bash -c "$limited" bash "$lockstep" "${train[@]}" "${large[@]}" --run-dir large
expect_no_model large
expect_within 60 69 "memory" "${mpi[@]}" -n 2 bash -c "$limited" bash "$lockstep" "${train[@]}" "${large[@]}" --run-dir large
expect_no_model large

echo "-- 40: shared memory"
if unshare --mount true 2> /dev/null; then
  for size in 4k 1m; do
    expect_within 30 0 "parameters_hash" unshare --mount sh -c \
      "mount -t tmpfs -o size=$size tmpfs /dev/shm && exec \"\$@\"" sh "$lockstep" "${train[@]}" -n 2 \
      --set "train.batch=1000" --set model.name=mlp --set model.hidden=600,600 --run-dir "shm-$size" --overwrite
    "$lockstep" "${train[@]}" --set "train.batch=1000" --set model.name=mlp --set model.hidden=600,600 \
      --run-dir shm-golden --overwrite > out 2>&1 || complain "one rank"
    expect_hash "shm-$size" "$(hash_of shm-golden)"
    grep "ranks exchange by" "shm-$size/log.txt" || complain "does not say how ranks exchange"
    grep -q "by messages" "shm-$size/log.txt" || complain "ranks share memory that is not there"
  done
else
  not_tested "a small /dev/shm" "this user may not mount one (root may)"
fi

echo "-- 40: open files"
for files in 5 6 9; do  # of fewer the loader cannot open the libraries
  timeout 30 bash -c "ulimit -n $files; exec \"\$@\"" bash "$lockstep" "${train[@]}" --run-dir "files-$files" > out 2>&1
  code=$?
  echo "$files open files: code $code, $(head -c 200 out | head -n 1)"
  if ((code == 0)); then
    expect_hash "files-$files" "$golden"
  else
    [[ $code =~ ^(69|73|74|65)$ ]] || complain "code $code with $files open files"
    (($(grep -c . out) > 0)) || complain "no word of what is wrong with $files open files"
    expect_no_model "files-$files"
  fi
done

finish "too little of anything is said, and ends nothing badly"
