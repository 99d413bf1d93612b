#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# expect_code.sh CODE COMMAND ...: whether the ranks that a line of mpirun starts end with this code. mpirun itself of
# Open MPI 4.1.4 now and then crashes (139, in PMIx_server_finalize) after it has told the code.
wanted=$1
shift
out=$("$@" 2>&1)
code=$?
printf '%s\n' "$out"
((code == wanted)) && exit
((code == 139)) && grep -qE "(Exit code: +|with errorcode )$wanted\\b" <<< "$out" && echo "mpirun crashed afterwards"
