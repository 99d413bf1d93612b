#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What bad input gets on the command line: one message, the exit code, within five seconds, nothing half-written.
# Each exit code comes through mpirun too. tests/train/errors_test.cpp has the long table.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"

# On a loaded machine mpirun alone takes seconds to start and end, so the limit here is for what hangs.
limit_s=5
limit_mpi_s=30
demo=(--set model.name=logistic --set data.train=demo:logistic?rows=2000 --set train.epochs=1)
printf 'a,b,label\n1,2,0\n1,two,1\n' > bad.csv
printf 'a,b,label\n1,2,1e30\n2,1,-1e30\n3,1,1e30\n' > wild.csv
printf '[optim]\nlearning_rat = 1\n' > typo.toml
printf 'text' > file
diverging=(--set model.name=linear --set data.train=wild.csv --set train.batch=2 --set optim.learning_rate=1e6
  --set train.epochs=100)

# expect_error CODE MESSAGE COMMAND...: the error is shown once, and no run directory is left with a model.
expect_error() {
  local code=$1 message=$2 found start
  shift 2
  echo "== $*"
  rm -rf run
  start=$(now_ms)
  "$@" 2>&1 | cat > out
  found=${PIPESTATUS[0]}
  local milliseconds=$(($(now_ms) - start)) limit=$limit_s
  [[ $* == *mpirun* || $* == *" -n "* ]] && limit=$limit_mpi_s
  ((found == code)) || complain "exit code $found instead of $code: $*"
  (($(grep '^lockstep: ' out | grep -vc '^lockstep: warning: ') == 1)) || complain "not one error message: $*"
  grep '^lockstep: ' out | grep -qF -- "$message" || complain "no word of \"$message\": $*"
  ((milliseconds < limit * 1000)) || complain "took $milliseconds ms: $*"
  ! compgen -G "run/*/model.safetensors" || complain "left a model: $*"
}

expect_no_directory() {
  expect_error "$@"
  [[ ! -e run ]] || complain "left a run directory: $*"
}

train=("$lockstep" train --set run.root=run)
printf '1 1:1 2147483647:2\n0 1:2 7:1\n' > wide.svm
expect_no_directory 69 "data.hash_bits makes fewer" bash -c 'ulimit -v 4000000; exec "$@"' -- "${train[@]}" \
  --set data.train=wide.svm --set data.features=2147483647 --set model.name=logistic
for launcher in "" "mpirun"; do
  command=("${train[@]}")
  [[ -z $launcher ]] || command=("${mpi[@]}" -n 2 "${train[@]}")
  expect_no_directory 64 "unknown flag --run-dri; did you mean --run-dir?" "${command[@]}" --run-dri x
  expect_no_directory 65 "bad.csv:3:3: " "${command[@]}" --set model.name=logistic --set data.train=bad.csv
  expect_no_directory 73 "file/" "${command[@]}" "${demo[@]}" --set run.root=file
  expect_no_directory 78 "typo.toml:2:1: unknown key optim.learning_rat; did you mean optim.learning_rate?" \
    "${command[@]}" -c typo.toml
  expect_error 79 "diverged at step" "${command[@]}" "${diverging[@]}"
done

expect_no_directory 64 "--ranks is 0; expected" "${train[@]}" "${demo[@]}" -n 0
expect_no_directory 64 "starts ranks, but a launcher already started 2" "${mpi[@]}" -n 2 "${train[@]}" "${demo[@]}" -n 3
expect_no_directory 65 "bad.csv:3:3: " "${train[@]}" --set model.name=logistic --set data.train=bad.csv -n 2
expect_no_directory 69 "mpirun is not in PATH" env PATH=/nowhere "${train[@]}" "${demo[@]}" -n 2
# Tasks of a step that MPI does not know of would each train a model.
expect_no_directory 69 "which do not find each other" env SLURM_STEP_NUM_TASKS=4 \
  bash -c 'exec "$@" < /dev/null' bash "${train[@]}" "${demo[@]}"
expect_no_directory 73 "file: is a file" "$lockstep" train "${demo[@]}" --run-dir file
expect_no_directory 76 "the ranks do not have the same configuration" "${mpi[@]}" \
  -n 1 "${train[@]}" "${demo[@]}" : -n 1 "${train[@]}" "${demo[@]}" --set run.seed=2
expect_no_directory 76 "log.hash_every = 3" "${mpi[@]}" \
  -n 1 "${train[@]}" "${demo[@]}" : -n 1 "${train[@]}" "${demo[@]}" --set log.hash_every=3
# Only one rank has the error, and the others are told.
expect_no_directory 78 "unknown key train.epoch" "${mpi[@]}" \
  -n 1 "${train[@]}" "${demo[@]}" : -n 1 "${train[@]}" "${demo[@]}" --set train.epoch=2
# A command that is none for ranks does not wait for others.
printf '[train]\n' > good.toml
expect_no_directory 78 "unknown key optim.learning_rat" "${mpi[@]}" -n 1 "$lockstep" config check good.toml \
  : -n 1 "$lockstep" config check typo.toml
# No space for the run: a limit on the size of files stands for a full disk.
expect_error 74 "generation.json: writing failed" bash -c 'trap "" XFSZ; ulimit -f 0; exec "$@"' bash "${train[@]}" "${demo[@]}"
# Through mpirun MPI itself may need no file either, hence no shared memory.
expect_error 74 "generation.json: writing failed" "${mpi[@]}" --mca btl self,tcp -n 2 \
  bash -c 'trap "" XFSZ; ulimit -f 0; exec "$@"' bash "${train[@]}" "${demo[@]}" --comm.shared_memory=false
"$lockstep" config show --set model.name=logistic > /dev/full 2> out
(($? == 73)) || complain "no code 73 where standard output cannot be written"

finish "all errors are shown once, with their exit codes"
