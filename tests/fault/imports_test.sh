#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No input can make Lockstep listen on a port of its own, load code, run a shell or use a name that others foresee: its
# objects ask the system for nothing that could. (MPI, which is not its own, does open ports.)
set -uo pipefail
mapfile -t objects < <(find "$2" -path '*lockstep_objects.dir*' -name '*.o')
names=$(nm --undefined-only --format=posix "${objects[@]}" | awk 'NF > 1 {print $1}' | sort -u)
grep -qx execvp <<< "$names" || { echo "FAILED: no object of $2 asks for execvp, which the launcher needs"; exit 1; }
sockets='socket|bind|listen|accept4?' code='dlm?open|system|popen' foreseen='mktemp|tmpnam|tempnam'
if grep -xE "$sockets|$code|$foreseen" <<< "$names"; then
  echo "FAILED: the objects ask for these"
  exit 1
fi
echo "${#objects[@]} objects, $(wc -l <<< "$names") names asked for"
