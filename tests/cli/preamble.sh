# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What scripts of tests share: sourced with their arguments, it goes to a temporary folder and sets `source`, `build`
# and `lockstep`.
set -euo pipefail
source=$1 build=$2
# shellcheck disable=SC2034
lockstep=$build/lockstep
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# expect CODE PATTERN COMMAND…: the exit code, and a pattern in all that is printed.
expect() {
  local code=$1 pattern=$2 got=0
  shift 2
  echo "== $*"
  "$@" >output 2>&1 || got=$?
  cat output
  [[ $got == "$code" ]] || { echo "exit code $got, expected $code"; exit 1; }
  grep -q -- "$pattern" output || { echo "expected: $pattern"; exit 1; }
}
