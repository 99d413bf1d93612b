#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Looks at reports in a real browser, by hand: nothing is asked of any network, the console stays silent, every
# chart shows something, choices change it. Leaves pictures at 1280 and 400 pixels, light and dark, for the eye.
#
#   tests/browser.sh [--yes] [FOLDER [RUN|STUDY...]]
#
# FOLDER takes the pictures; default a fresh one under /tmp. Without RUN or STUDY it trains a few small runs and
# makes a study of them. Installs Debian's chromium and python3-websocket if they are missing; --yes does not ask.
set -euo pipefail
# shellcheck source=../launch/dependencies.sh
source "$(dirname "$0")/../launch/dependencies.sh"
take_common_options "$@"
require_packages "${build_packages[@]}" "chromium chromium" "python3-websocket python3:websocket" \
  "fonts-liberation /usr/share/fonts/truetype/liberation"
build release lockstep_program
lockstep=$root/build/release/lockstep

pictures=${rest[0]:-$(mktemp -d /tmp/lockstep-pictures-XXXX)}
subjects=("${rest[@]:1}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ((${#subjects[@]} == 0)); then
  for batch in full 256 1; do
    "$lockstep" train -c "$root/configs/demo_logistic.toml" --set data.train="demo:logistic?rows=20000&noise=0.1" \
      --set data.valid=split:0.1 --set data.test= --set train.batch="$batch" --set train.target="valid.accuracy >= 0.88" \
      --run-dir "$work/batch-$batch" --set log.progress=none >/dev/null
  done
  subjects=("$work/batch-256")
  mkdir "$work/runs"
  "$lockstep" report "$work"/batch-* --out "$work/runs/report.html" >/dev/null
  pages=("$work/runs/report.html")
fi
for subject in "${subjects[@]}"; do
  page=$work/$(basename "$subject")-page/report.html
  mkdir -p "$(dirname "$page")"
  "$lockstep" report "$subject" --out "$page" >/dev/null
  pages+=("$page")
done
/usr/bin/python3 "$root/tests/report/browser.py" "$pictures" "${pages[@]}"
echo "Pictures to look at: $pictures"
