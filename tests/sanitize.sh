#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/sanitize.sh [--yes] [asan|tsan]
#
# Builds the unit tests, those on thread-backed ranks among them, with the address and undefined-behaviour
# sanitizers and with the thread sanitizer, and runs them. No test here calls MPI_Init, which is not built for
# either. Without an argument both are run.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../launch/dependencies.sh"

take_common_options "$@"
((${#rest[@]})) || rest=(asan tsan)
for preset in "${rest[@]}"; do
  [[ $preset == asan || $preset == tsan ]] || fail "unknown argument $preset; see --help" 64
done
require_packages "${build_packages[@]}" "${test_packages[@]}"

# The thread sanitizer of g++ 12 finds no room for its shadow where the kernel randomises more than 28 bits.
fixed_addresses() {
  local bits
  bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)
  if ((bits > 28)); then setarch --addr-no-randomize "$@"; else "$@"; fi
}

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_init_order=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
cd "$root"
for preset in "${rest[@]}"; do
  build "$preset" unit_tests
  fixed_addresses ctest --preset "$preset" --parallel "$(nproc)" --label-regex '^unit$'
done
