#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What launch/dependencies.sh does about missing packages on every kind of machine. Each machine is a folder of
# programs: the real ones it may use, and stand-ins that write down how they were called.
set -euo pipefail
source=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# machine UID INSTALLED-PACKAGES PROGRAMS...: stand-ins for the named ones of dpkg-query, apt-get and sudo.
machine() {
  local uid=$1 installed=$2 program
  shift 2
  rm -rf "$folder/bin" "$folder/calls"
  mkdir "$folder/bin"
  touch "$folder/calls"
  for program in bash cat dirname env awk; do ln -s "$(command -v "$program")" "$folder/bin/$program"; done
  printf '#!/bin/bash\necho %s\n' "$uid" >"$folder/bin/id"
  for program in "$@"; do
    case $program in
      dpkg-query) echo "[[ ' $installed ' == *\" \${!#} \"* ]] && printf installed" ;;
      apt-get) echo "echo \"apt-get \$*\" >>$folder/calls; [[ \$* != *--simulate* || -e $folder/updated ]]" ;;
      sudo) echo "echo \"sudo \$*\" >>$folder/calls; [[ \$1 == --* ]] || exec \"\$@\"" ;;
    esac | sed '1i #!/bin/bash' >"$folder/bin/$program"
  done
  chmod +x "$folder"/bin/*
}

# expect STATUS TEXT: requires packages one and two, without a terminal.
expect() {
  local status=0 said
  said=$(PATH=$folder/bin bash -c "source '$source/launch/dependencies.sh'; take_common_options; \
    require_packages 'one bash' 'two no-such-program'" </dev/null 2>&1) || status=$?
  echo "$status: $said"
  [[ $status == "$1" && $said == *"$2"* ]]
}

calls() { grep -c -- "$1" "$folder/calls" || true; }

echo "== everything is there"
machine 1000 "one two" dpkg-query apt-get
expect 0 ""
[[ ! -s $folder/calls ]]

echo "== root, and nobody to ask; the lists are empty"
machine 0 "one" dpkg-query apt-get
expect 0 "Missing Debian packages: two"
[[ $(calls "^apt-get update") == 1 && $(calls "^apt-get install --yes --no-install-recommends two") == 1 ]]

echo "== root; the lists are there"
machine 0 "one" dpkg-query apt-get
touch "$folder/updated"
expect 0 "Missing Debian packages: two"
[[ $(calls "^apt-get update") == 0 && $(calls "^apt-get install") == 1 ]]

echo "== a user with sudo"
machine 1000 "one" dpkg-query apt-get sudo
expect 0 "Missing Debian packages: two"
[[ $(calls "^sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes") == 1 ]]

echo "== a user without sudo"
machine 1000 "" dpkg-query apt-get
expect 1 "run as root: apt-get install --yes --no-install-recommends one two"
[[ ! -s $folder/calls ]]

echo "== another system, where one program is missing"
machine 1000 ""
expect 1 "this system lacks what Debian 12 calls: two."

echo "== another system, where everything is there"
machine 0 ""
ln -s /bin/true "$folder/bin/no-such-program"
expect 0 ""
