#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/fuzz/run.sh [--yes] [--runs N] [--timeout S] [TARGET ...]
#
# Builds the fuzz targets with clang (libFuzzer, address and undefined-behaviour sanitizers) and runs each for
# N executions (10,000,000), one after the other; without a name all that there are: tests/fuzz/NAME_target.cpp.
# An input is a finding if it crashes, takes more than S seconds (5), or asks for more than 256 MB at once or 1 GB
# in all. It is then in build/fuzz/findings; put it into tests/fuzz/regressions/NAME, which the ordinary tests
# replay, and mend what it shows. What has been learnt stays in build/fuzz/corpus for the next time. Comparisons
# of single numbers are not traced, which took a quarter of the time; those of bytes are.
# Ends with 1 if anything was found.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../launch/dependencies.sh"

take_common_options "$@"
runs=10000000 timeout=5 targets=()
while ((${#rest[@]})); do
  case ${rest[0]} in
    --runs) runs=${rest[1]:?} rest=("${rest[@]:2}") ;;
    --timeout) timeout=${rest[1]:?} rest=("${rest[@]:2}") ;;
    -*) fail "unknown option ${rest[0]}; see --help" 64 ;;
    *) targets+=("${rest[0]}") rest=("${rest[@]:1}") ;;
  esac
done
if ! ((${#targets[@]})); then
  for source in "$root"/tests/fuzz/*_target.cpp; do
    name=${source##*/}
    targets+=("${name%_target.cpp}")
  done
fi
require_packages "${build_packages[@]}" "${fuzz_packages[@]}"
for target in "${targets[@]}"; do
  [[ -e $root/tests/fuzz/${target}_target.cpp ]] || fail "there is no target $target" 64
done
build fuzz "${targets[@]/#/fuzz_}"

# Targets write their inputs to files: in memory, or the disk is what is measured.
if [[ -w /dev/shm ]]; then export TMPDIR=/dev/shm; fi
export UBSAN_OPTIONS=print_stacktrace=1
# Looking for uses of a stack after its return takes a third of the time: only what was learnt is run so, at the end.
fast=quarantine_size_mb=4:malloc_context_size=1:detect_stack_use_after_return=0
thorough=detect_stack_use_after_return=1
cd "$root/build/fuzz"
mkdir -p findings logs
status=0
printf '%-12s %12s %10s  %s\n' target executions per_second found
for target in "${targets[@]}"; do
  learnt=corpus/$target log=logs/$target.log
  mkdir -p "$learnt"
  case $target in
    cache | checkpoint | config | model) longest=2048 ;;
    *) longest=512 ;;
  esac
  # Entropic schedules cost more than the targets do.
  options=(-timeout="$timeout" -malloc_limit_mb=256 -rss_limit_mb=1024 -max_len="$longest" -print_final_stats=1
    -artifact_prefix="findings/$target-" -seed=1 -entropic=0 -reload=0)
  [[ -e $root/tests/fuzz/$target.dict ]] && options+=(-dict="$root/tests/fuzz/$target.dict")
  found=nothing
  fuzz() { "tests/fuzz/fuzz_$target" "${options[@]}" "$@" "$learnt" "$root/tests/fuzz/corpus/$target"; }
  if ! { ASAN_OPTIONS=$fast fuzz -runs="$runs" && ASAN_OPTIONS=$thorough fuzz -runs=0 -print_final_stats=0; } \
    >"$log" 2>&1 </dev/null; then
    found=$(grep --only-matching "findings/$target-[^ ]*" "$log" | tail -1 || true)
    found="${found:-an end of the program}, see build/fuzz/$log" status=1
  fi
  value() { awk -v key="stat::$1:" '$1 == key {print $2}' "$log"; }
  printf '%-12s %12s %10s  %s\n' "$target" "$(value number_of_executed_units)" \
    "$(value average_exec_per_sec)" "$found"
done
exit $status
