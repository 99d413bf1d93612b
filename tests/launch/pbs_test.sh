#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# launch/pbs/train.pbs with the variables PBS would give it, this machine as its host, and a qsub that notes what is
# submitted: a job that runs out of time saves, submits its successor, and that one ends with the same model.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
mkdir bin launch
cp -r "$source/launch/pbs" "$source/launch/"*.sh launch
printf '#!/bin/sh\necho "$@" >> %s/submitted\n' "$folder" > bin/qsub
chmod +x bin/qsub
export PATH=$folder/bin:$PATH PBS_O_WORKDIR=$folder PBS_NODEFILE=$folder/hosts LOCKSTEP=$lockstep
printf 'localhost\nlocalhost\n' > hosts

sets="--set model.name=logistic --set data.train=demo:logistic?rows=5000 --set log.progress=none --set eval.train=never"
sets+=" --set checkpoint.every=never"
# So many steps that they take some seconds: a step takes about as long on every machine as on this one now.
"$LOCKSTEP" train $sets --set train.steps=20000 --run-dir probe > out 2>&1 || complain "the probe"
seconds=$(sed -n 's/.*"train_s": *\([0-9.]*\).*/\1/p' probe/summary.json | head -n 1)
steps=$(awk -v seconds="${seconds:-1}" 'BEGIN {printf "%d", 20000 * 10 / seconds}')
"$LOCKSTEP" train $sets --set "train.steps=$steps" --run-dir golden > out 2>&1 || complain "one rank"

echo "== a job of $steps steps that runs out of time after two seconds"
QSUB_OPTIONS="-A project -q queue" PBS_JOBID=7.server LIMIT_S=122 RESTARTS=3 ARGUMENTS="$sets --set train.steps=$steps" launch/pbs/train.pbs > out 2>&1
code=$?
((code == 75)) || complain "code $code instead of 75"
next="-A project -q queue -l select=1:ncpus=2:mpiprocs=2 -l walltime=122"
next+=" -v RUN_DIR=runs/pbs-7,RESTARTS=2,LIMIT_S=122,LOCKSTEP=$LOCKSTEP,QSUB_OPTIONS=-A project -q queue"
grep -qxF -- "$next runs/pbs-7.pbs" submitted || complain "did not submit $next but $(cat submitted)"
expect_no_model runs/pbs-7

echo "== its successor"
PBS_JOBID=8.server RUN_DIR=runs/pbs-7 RESTARTS=2 LIMIT_S=400 bash runs/pbs-7.pbs > out 2>&1 ||
  complain "the second job ended with $?"
expect_hash runs/pbs-7 "$(hash_of golden)"
grep -q '"ranks": 2,' runs/pbs-7/summary.json || complain "not on two ranks"
(($(wc -l < submitted) == 1)) || complain "submitted a job after the run was finished"

echo "== one that gains nothing has no successor"
printf '#!/bin/sh\nexit 75\n' > bin/giver
chmod +x bin/giver
LOCKSTEP=$folder/bin/giver PBS_JOBID=10.server ARGUMENTS="$sets" launch/pbs/train.pbs > out 2>&1
code=$?
((code == 75)) || complain "code $code instead of 75"
(($(wc -l < submitted) == 1)) || complain "submitted a job that will gain nothing either"

echo "== an error in the data is not tried again"
PBS_JOBID=9.server ARGUMENTS="--set model.name=linear --set data.train=absent.csv" launch/pbs/train.pbs > out 2>&1
code=$?
((code == 65)) || complain "code $code instead of 65"
(($(wc -l < submitted) == 1)) || complain "submitted a job that will fail again"

finish "jobs of PBS resume with the same bits"
