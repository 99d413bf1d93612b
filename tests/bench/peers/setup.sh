#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what Lockstep is compared with: setup.sh [BUILD_DIR]. Debian's packages as root (PyTorch 1.13, LIBLINEAR),
# the newest of PyPI in the virtual environment BUILD_DIR/peers/venv: PyTorch, scikit-learn, pandas, mpi4py, NumPy, Vowpal
# Wabbit. PyTorch's wheel brings its GPU libraries along and does not start without them: 3 GB to download, 6 GB on disk.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${1:-$here/../../../build}
mkdir -p "$build/peers"

if [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  apt-get install -y -q --no-install-recommends python3-torch python3-venv liblinear-tools openmpi-bin >"$build/peers/apt.log"
fi
[[ -x $build/peers/venv/bin/python ]] || python3 -m venv "$build/peers/venv"
"$build/peers/venv/bin/pip" install --quiet --upgrade torch numpy scikit-learn mpi4py pandas vowpalwabbit
"$build/peers/venv/bin/pip" list --format=freeze | grep -i -E '^(torch|numpy|scikit-learn|mpi4py|pandas|vowpalwabbit)='
