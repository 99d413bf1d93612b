#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cluster_test.sh SOURCE BUILD [--require]
#
# Four hosts (cluster.sh) train like one process, whatever happens between them: a cable cut for a while, little
# bandwidth, a cable cut for good, a host whose processes all die, an mpirun that is killed. Where there can be no
# such cluster the test says why; with --require it fails then.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
source "$source/tests/fault/cluster.sh"
clean_up() { cluster_down; }

obstacle=$(cluster_obstacle)
[[ -z $obstacle ]] || give_up "a cluster" "$obstacle"
mkdir cluster
cluster_up 4 "$folder/cluster" || give_up "a cluster" "the hosts do not come up"
read -r -a mpi < <(cluster_mpi_options)

train=(--set "data.train=demo:blobs?rows=3000&features=50&classes=6" --set model.name=mlp --set "model.hidden=120,90"
  --set optim.name=adam --set optim.learning_rate=0.002 --set train.batch=250 --set train.shards=8
  --set log.hash_every=20 --set log.curves=false --set eval.train=never)
long=("${train[@]}" --set train.steps=1500)
short=("${train[@]}" --set train.steps=60)

hashes() { grep -o '"kind":"hash".*' "$1/metrics.jsonl"; }

# golden NAME ARGUMENT...: the undisturbed run on one host.
golden() {
  "$lockstep" train "${@:2}" --run-dir "$1" > out 2>&1 || complain "one process ended with $?"
  (($(hashes "$1" | wc -l) >= 3)) || complain "one process wrote no hashes"
}

# expect_same NAME GOLDEN: ended well, and had the weights of the golden run after every step that is known.
expect_same() {
  ((code == 0)) || complain "$1 ended with code $code"
  [[ "$(hashes "$1")" == "$(hashes "$2")" ]] || complain "$1 has other weights than $2"
}

# on_cluster NAME RANKS_EACH ARGUMENT...: a training under plain mpirun from h1, in the background; sets `process`.
on_cluster() {
  local name=$1 each=$2
  shift 2
  echo "== $name, $each on each of ${#cluster_hosts[@]} hosts"
  cluster_on h1 mpirun "${mpi[@]}" --host "$(cluster_host_list "$each")" -np $((each * ${#cluster_hosts[@]})) \
    "$lockstep" train "$@" --run-dir "$folder/$name" > out 2>&1 &
  process=$!
}

golden golden-short "${short[@]}"
golden golden-long "${long[@]}"

on_cluster four-ranks 1 "${short[@]}"
await_end $process 60
expect_same four-ranks golden-short
grep -q "by messages" four-ranks/log.txt || complain "the ranks do not think they are on several hosts"

on_cluster eight-ranks 2 "${short[@]}"
await_end $process 60
expect_same eight-ranks golden-short
grep -q "in 4 nodes of 2 ranks, messages between them" eight-ranks/log.txt || complain "8 ranks are not on 4 hosts"

echo "== 10 Mbit/s"
for host in "${cluster_hosts[@]}"; do cluster_limit "$host" 10; done
on_cluster slow-cables 1 "${short[@]}"
await_end $process 90
expect_same slow-cables golden-short
for host in "${cluster_hosts[@]}"; do cluster_unlimit "$host"; done

on_cluster cut-for-3-s 1 "${long[@]}"
await_steps cut-for-3-s
cluster_cut h3
sleep 1
before=$(wc -l < cut-for-3-s/metrics.jsonl)
sleep 2
(($(wc -l < cut-for-3-s/metrics.jsonl) == before)) || complain "steps are made without h3"
cluster_mend h3
await_end $process 90
expect_same cut-for-3-s golden-long

# launch_on NAME ARGUMENT...: the same under the supervisor on h1, which may go on without hosts.
launch_on() {
  local name=$1
  shift
  echo "== $name, supervised"
  cluster_on h1 env OMPI_MCA_mpi_yield_when_idle=1 "$lockstep" launch --hosts "$(cluster_host_list 1)" --agent "$folder/cluster/agent" -- train "$@" \
    --run-dir "$folder/$name" --set launch.interface=10.99.0.0/24 --set "checkpoint.every=50 steps" \
    --set launch.probe_s=2 --set launch.grace_s=2 --set launch.hang_s=8 --set comm.stall_s=6 > out 2>&1 &
  process=$!
  await_steps "$name"
}

has_new_steps() { (($(tail -n "+$((lines_before + 1))" "$1/metrics.jsonl" | grep -c '"kind":"\(step\|hash\)"') > 0)); }
begun_again() { has_word "$1/log.txt" "resumes from\|begins anew"; }
is_idle() { [[ -z $(cluster_processes "$1") ]]; }

# disturb NAME COMMAND...: does it; the trouble is found and left within 15 s, steps follow, and the end is golden.
disturb() {
  local name=$1 start
  shift
  start=$(now_ms)
  "$@"
  await 15 has_word out "; restart [0-9]"
  echo "left after $(($(now_ms) - start)) ms"
  await 15 begun_again "$name"
  lines_before=$(wc -l < "$name/metrics.jsonl")
  await 15 has_new_steps "$name"
  await_end $process 120
  expect_same "$name" golden-long
}

kill_mpirun() {
  local pid
  for pid in $(cluster_processes h1); do
    [[ $(readlink "/proc/$pid/exe") == */orterun ]] && kill -KILL "$pid"
  done
}

launch_on host-dies "${long[@]}"
disturb host-dies cluster_kill h3

launch_on mpirun-dies "${long[@]}"
disturb mpirun-dies kill_mpirun

launch_on cut-for-good "${long[@]}"
disturb cut-for-good cluster_cut h4
grep -q '"ranks": 3,' cut-for-good/summary.json || complain "the survivors are not three"
await 60 is_idle h4
cluster_mend h4

finish "four hosts train like one process"
