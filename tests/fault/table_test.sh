#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The table in README.md has the forty cases, and every test that it names is there.
set -uo pipefail
cd "$1" || exit 1
failures=0
rows=$(grep -E '^\| [0-9]+ \|' tests/fault/README.md)
diff <(cut -d ' ' -f 2 <<< "$rows") <(seq 40) || failures=1

while IFS=: read -r path name; do
  path=${path//\`/} name=${name# }
  if [[ ! -e $path ]]; then
    echo "no such test: $path"
    failures=1
  elif [[ -n $name ]] && ! grep -q "$name" "$path"; then
    echo "$path has no $name"
    failures=1
  fi
done < <(grep -oE '`tests/[a-z_/]+\.(cpp|sh)`(: [A-Z][A-Za-z]+)?' <<< "$rows" | sort -u)
exit $failures
