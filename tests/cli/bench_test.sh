#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The benchmarks of the program at tiny sizes: the documented keys of their JSON, tables, exit codes, and that they
# leave no file behind.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
set -e
mkdir empty
cd empty
options=(--set "data.train=demo:blobs?rows=512&features=7" --set model.name=mlp --set model.hidden=8 --set train.batch=64)

# check CONDITION COMMAND…: a condition in Python on `out`, the JSON that the command prints.
check() {
  local condition=$1
  shift
  echo "== $*"
  "$@" >../json 2>../errors || { cat ../errors; exit 1; }
  python3 -c "
import json, sys
out = json.load(open('../json'))
if not ($condition): sys.exit(f'not {sys.argv[1]}: {out}')" "$condition"
}

echo "-- allreduce"
expect 0 "64 B .* ×" "$lockstep" bench allreduce --largest 64 --rounds 1
check "out['schema'] == 'lockstep.bench.allreduce/1' and out['ranks'] == 3 and out['nodes'] == 1
  and out['rounds'] == 2 and out['mpi'] and out['version']
  and [one['bytes'] for one in out['results']] == [8, 40, 400, 4000]
  and all(one['transport'] == 'shared memory' and min(one['lockstep_us'], one['mpi_us'], one['copy_us'],
  one['mpi_per_lockstep']) > 0 for one in out['results'])" \
  "$lockstep" bench allreduce --largest 4000 --factor 10 --rounds 2 --json -n 3
expect 64 "multiple of 8" "$lockstep" bench allreduce --largest 12
expect 64 "at least 2" "$lockstep" bench allreduce --factor 1

echo "-- step"
expect 0 "limit: matrix products" "$lockstep" bench step "${options[@]}" --milliseconds 5 -n 2
check "out['schema'] == 'lockstep.bench.step/1' and out['ranks'] == 1 and out['batch'] == 64 and out['shards'] == 2
  and out['steps'] >= 30 and out['first_steps'] == 30 and len(out['first_hash']) == 32 and out['rows_per_s'] > 0
  and 0 < out['step_ms']['p50'] <= out['step_ms']['p95'] <= out['step_ms']['p99'] and out['step_ms']['mean'] > 0
  and set(out['mean_ms']) == {'data', 'compute', 'exchange', 'wait', 'update'}
  and sum(out['mean_ms'].values()) <= 1.01 * out['step_ms']['mean']
  and all(out['limits'][key] > 0 for key in ('products_ms', 'memory_ms', 'triad_gb_per_s', 'products_per_step',
  'memory_per_step'))" "$lockstep" bench step "${options[@]}" --milliseconds 5 --json
check "out['ranks'] == 2 and 'limits' not in out" \
  "$lockstep" bench step "${options[@]}" --milliseconds 5 --json --no-limits --copies -n 2
expect 65 "no such file" "$lockstep" bench step "${options[@]}" --set data.train=missing.csv
expect 78 "learning_rate" "$lockstep" bench step "${options[@]}" --set optim.learning_rat=1

echo "-- scaling"
expect 0 "ranks *strong, rows/s" "$lockstep" bench scaling "${options[@]}" -n 2 --milliseconds 5 --rounds 1
check "out['schema'] == 'lockstep.bench.scaling/1' and out['batch'] == 64 and out['shards'] == 2 and out['rounds'] == 1
  and [one['ranks'] for one in out['results']] == [1, 2] and out['results'][0]['strong']['efficiency'] == 1
  and all(one[kind][key] > 0 for one in out['results'] for kind in ('strong', 'weak')
  for key in ('rows_per_s', 'step_ms', 'efficiency', 'per_copies'))
  and all(one['copies'][key] > 0 for one in out['results'] for key in ('rows_per_s', 'efficiency'))" \
  "$lockstep" bench scaling "${options[@]}" --milliseconds 5 --rounds 1 --json
expect 78 "cannot grow" "$lockstep" bench scaling "${options[@]}" --set train.batch=full
expect 78 "fewer rows" "$lockstep" bench scaling "${options[@]}" --set train.batch=400 --milliseconds 5 --rounds 1
expect 65 "ended with code 65" "$lockstep" bench scaling "${options[@]}" --set data.train=missing.csv
expect 64 "two words\|second word" "$lockstep" bench

[[ -z $(ls -A) ]] || complain "left behind: $(ls -A)"
