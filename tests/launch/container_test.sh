#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Dockerfile and the MPIJob say what they must; the image has the packages of every library the program needs.
set -euo pipefail
source=$1 program=$2/lockstep
packages=$(mktemp)
trap 'rm -f "$packages"' EXIT
readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r library; do
  path=$(ldd "$program" | awk -v name="$library" '$1 == name {print $3}')
  # Which of both paths dpkg knows depends on whether /lib is a link.
  dpkg-query --search "$(realpath "$path")" 2> /dev/null || dpkg-query --search "/usr$(realpath "$path")" 2> /dev/null ||
    dpkg-query --search "$path"
done | cut -d : -f 1 | sort -u > "$packages"
/usr/bin/python3 "$source/tests/launch/container_check.py" "$source" "$packages"
echo "the image would have $(wc -w < "$packages") packages of libraries, and the job what it needs"
