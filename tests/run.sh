#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/run.sh [--yes] [CTEST OPTION ...]
#
# Installs the Debian packages that are missing (asks before; --yes: does not), builds the release preset, with
# HDF5, and runs all tests. Other options go to ctest: tests/run.sh -R optim
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../launch/dependencies.sh"

take_common_options "$@"
require_packages "${build_packages[@]}" "${test_packages[@]}" "${hdf5_packages[@]}"
build_options=(-D LOCKSTEP_HDF5=ON)
build release

# Open MPI refuses to start as root otherwise, as containers do.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
cd "$root"
ctest --preset release --parallel "$(nproc)" "${rest[@]}"
