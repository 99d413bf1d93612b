#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything in launch/ parses, says what it is for, and asks its batch system for what it must have.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
cd "$source" || exit 1

for script in launch/*.sh launch/*/*.sbatch launch/*/*.pbs; do
  bash -n "$script" || complain "$script does not parse"
  [[ $script == */dependencies.sh || -x $script ]] || complain "$script cannot be executed"
  head -n 2 "$script" | grep -q SPDX || complain "$script has no licence line"
done

# directives FILE MARK: those that count, which stand before the first command.
directives() { awk -v mark="#$2" '!/^#/ && NF {exit} $1 == mark {sub(mark " *", ""); print}' "$1"; }

# requires FILE MARK DIRECTIVE...
requires() {
  local file=$1 mark=$2 directive
  shift 2
  for directive in "$@"; do
    directives "$file" "$mark" | grep -qxE -- "$directive" || complain "$file has no $directive"
  done
  (($(grep -c "^#$mark" "$file") == $(directives "$file" "$mark" | wc -l))) ||
    complain "$file has directives behind its first command, where they do not count"
}

requires launch/slurm/train.sbatch SBATCH --requeue "--signal=USR1@120" --open-mode=append --cpus-per-task=1 \
  "--time=.*" "--output=.*%j.*"
requires launch/slurm/scaling.sbatch SBATCH --exclusive --cpus-per-task=1 "--time=.*" "--output=.*%j.*"
requires launch/pbs/train.pbs PBS "-r y" "-l select=.*:mpiprocs=.*" "-l walltime=.*" "-j oe"
! directives launch/slurm/train.sbatch SBATCH | grep -q 'signal=B:' || complain "the ranks get no signal"

launch/cluster.sh --help | grep -q HOSTFILE || complain "cluster.sh does not explain itself"
launch/cluster.sh /no/hostfile train 2> /dev/null
(($? == 69)) || complain "cluster.sh does not end with 69 where the hostfile is missing"

finish "the scripts parse and ask for what they must have"
