#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# launch/env.md names every environment variable that the program, its scripts and its tests read, and no other.
set -euo pipefail
cd "$1"

upper='[A-Z][A-Z0-9_]*[A-Z0-9]'
# What bash and awk set themselves.
own='BASH_SOURCE|BASHPID|BASH_COMMAND|LINENO|PIPESTATUS|PWD|HOME|RANDOM|SECONDS|EPOCHSECONDS|EPOCHREALTIME|UID|EUID|NF|NR'
mapfile -t scripts < <(find launch tests -name '*.sh' -o -name '*.sbatch' -o -name '*.pbs' -o -name '*.yaml')
containers=(launch/k8s/mpijob.yaml launch/docker/Dockerfile)
mapfile -t sources < <(grep -rlE 'getenv|environ' src include)

read_anywhere() {
  grep -hoE "\\\$\{?[!#]?$upper" "${scripts[@]}" | tr -d '${!#'
  grep -hoE "(- name: |ENV )[A-Z][A-Za-z0-9_]*" "${containers[@]}" | grep -oE '[A-Za-z0-9_]+$'
  grep -hoE "\"(LOCKSTEP|OMPI|PMI|PMIX|MPI|SLURM|PBS)_$upper\"" "${sources[@]}" | tr -d '"'
  grep -hoE "getenv\(\"$upper\"" "${sources[@]}" | cut -d '"' -f 2
}

# A name that ends with … stands for all that begin with the rest.
listed() { grep '^|' launch/env.md | grep -oE '`[A-Za-z0-9_…]+`' | tr -d '`' | sort -u; }
is_listed() {
  local entry
  while read -r entry; do
    [[ $1 != "$entry" && ($entry != *… || $1 != "${entry%…}") ]] || return 0
  done < <(listed)
  return 1
}

failures=0
for name in $(read_anywhere | grep -vxE "$own" | sort -u); do
  is_listed "$name" || { echo "launch/env.md does not name $name" && failures=$((failures + 1)); }
done
for name in $(listed | grep -v '…' | grep -vx LOCKSTEP__SECTION__KEY); do
  grep -rqwF --exclude=env.md -- "$name" src include launch tests ||
    { echo "nobody reads $name of launch/env.md" && failures=$((failures + 1)); }
done
((failures == 0)) || exit 1
echo "$(listed | wc -l) variables, as launch/env.md says"
