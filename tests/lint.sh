#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/lint.sh [--yes] [FILE ...]
#
# Checks the format of all C++ files (.clang-format) and runs clang-tidy (.clang-tidy) over the sources in src/,
# or over the named ones.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../launch/dependencies.sh"

take_common_options "$@"
require_packages "${build_packages[@]}" "${lint_packages[@]}" "${hdf5_packages[@]}"

cd "$root"
mapfile -t formatted < <(find include src tests -name '*.h' -o -name '*.cpp')
status=0
clang-format --dry-run -Werror "${formatted[@]}" || status=1

cmake --preset release -D LOCKSTEP_HDF5=ON >/dev/null
((${#rest[@]})) || mapfile -t rest < <(find src -name '*.cpp')
printf '%s\n' "${rest[@]}" |
  xargs --max-procs "$(build_jobs)" --max-args 4 clang-tidy -p build/release --quiet --warnings-as-errors='*' || status=1
exit "$status"
