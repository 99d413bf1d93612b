#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A model file opens without this program: NumPy finds the tensors and norms that `checkpoint show` prints.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
set -e

"$build/lockstep" train --set "data.train=demo:blobs?rows=200&features=5" --set model.name=mlp --set model.hidden=7 \
  --set train.steps=5 --run-dir run
/usr/bin/python3 "$source/tests/train/read_model.py" run/model.safetensors >read
cat read
[[ $(cut -d ' ' -f 1,2 read | tr '\n' ' ') == "layer0.weight 5x7 layer0.bias 7 layer1.weight 7x3 layer1.bias 3 " ]]
"$build/lockstep" checkpoint show run/model.safetensors |
  sed -n -E 's/ × /x/g; s/^  ([^ ]+) +([0-9x]+)  norm /\1 \2 /p' >shown
diff read shown
