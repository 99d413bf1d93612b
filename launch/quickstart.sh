#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# launch/quickstart.sh [--yes]
#
# From a clone to a trained model: installs the Debian packages that are missing (asks before; --yes: does not),
# builds build/release/lockstep, trains a network of 235,146 weights on the 60,000 images of Fashion-MNIST with
# two ranks, and shows its accuracy on the 10,000 test images. Run it again whenever you like.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/dependencies.sh"

take_common_options "$@"
((${#rest[@]} == 0)) || fail "unknown option ${rest[0]}; see --help" 64

require_packages "${build_packages[@]}"
build release lockstep_program

cd "$root"
run_dir=runs/quickstart-$(date +%Y%m%d-%H%M%S)-$$
build/release/lockstep train -n 2 -c configs/fashion_mlp.toml --run-dir "$run_dir"

accuracy=$(sed -n 's/.*"test\.accuracy": *\([0-9.]*\).*/\1/p' "$run_dir/summary.json")
[[ -n $accuracy ]] || fail "$run_dir/summary.json holds no test.accuracy" 70
echo
echo "test accuracy $accuracy   (summary: $run_dir/summary.json, model: $run_dir/model.safetensors)"
