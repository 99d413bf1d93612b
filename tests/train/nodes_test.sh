#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One machine acts as several nodes: the weights after every step are those of one rank, however ranks are
# grouped, placed and told to exchange.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
train=("$lockstep" train --set "data.train=demo:blobs?rows=3000&features=50&classes=6" --set model.name=mlp
  --set "model.hidden=120,90" --set optim.name=adam --set train.batch=250 --set train.shards=8 --set train.epochs=2
  --set log.hash_every=1 --overwrite --run-dir run)

hashes() { grep -o '"parameters_hash": *"[^"]*"' run/metrics.jsonl; }

# same LINE COMMAND...: has the weights of one rank after every step, and its log says so.
same() {
  local line=$1
  shift
  echo "== $*"
  "$@" > results 2> out || complain "ended with $?: $*"
  [[ "$(hashes)" == "$expected" ]] || complain "has other weights: $*"
  grep -qF -- "$line" run/log.txt || complain "did not say \"$line\": $*"
}

"${train[@]}" > results 2> out || complain "one rank ended with $?"
expected=$(hashes)
(($(wc -l <<< "$expected") >= 24)) || complain "no hash of every step: $expected"

two="shared memory in 2 nodes of 2 ranks, messages between them"
same "$two" "${mpi[@]}" -n 4 "${train[@]}" --set comm.ranks_per_node=2
same "$two" "${mpi[@]}" -n 4 "${train[@]}" --set comm.ranks_per_node=2 --set comm.bucket_kib=16
same "$two" "${mpi[@]}" -n 4 --map-by node "${train[@]}" --set comm.ranks_per_node=2
grep -q "a step .* ms went by waiting for other nodes" run/log.txt || complain "says nothing of waiting for other nodes"
grep -q '"exposed_ms": [0-9.e-]*[1-9]' run/summary.json || complain "exposed_ms is missing or 0"
same "shared memory in 2 nodes of 1 to 3 ranks" "${mpi[@]}" -n 4 "${train[@]}" --set comm.ranks_per_node=3
same "shared memory in 3 nodes of 2 ranks" "${mpi[@]}" -n 6 "${train[@]}" --set comm.ranks_per_node=2 \
  --set comm.bucket_kib=16
same "shared memory in 2 nodes of 3 ranks" "${mpi[@]}" -n 6 --map-by node "${train[@]}" --set comm.ranks_per_node=3
same "shared memory in 2 nodes of 2 to 4 ranks" "${mpi[@]}" -n 6 "${train[@]}" --set comm.ranks_per_node=2,4 \
  --set comm.bucket_kib=16
same "ranks exchange by messages" "${mpi[@]}" -n 3 "${train[@]}" --set comm.ranks_per_node=1
same "ranks exchange by shared memory" "${mpi[@]}" -n 3 "${train[@]}" --set comm.node=numa
grep -q '"exposed_ms": 0.0' run/summary.json || complain "one node waited for others"

finish "the same weights, however ranks are grouped"
