#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Case 28: the same rows, weights and texts whatever the locale; a decimal comma in data is refused in any.
# shellcheck source=tests/support/script.sh
. "$1/tests/support/script.sh"
if ! localedef --no-archive -i de_DE -f UTF-8 "$folder/de_DE.UTF-8" > out 2>&1; then
  give_up "a locale with a decimal comma" "$(cat out)"
fi
export LOCPATH=$folder
[[ $(LC_ALL=de_DE.UTF-8 /usr/bin/printf %.1f 1,5) == 1,5 ]] || complain "the locale has no decimal comma"
(echo "a,b,label" && for ((i = 0; i < 40; ++i)); do echo "$((i * 7 % 11)).25,0.$((i * 3 % 5)),$((i % 2))"; done) > rows.csv
sed 's/,/;/g; s/\./,/g' rows.csv > comma.csv
printf '[optim]\nlearning_rate = 0.05\n' > config.toml
train=(train -c config.toml --set model.name=logistic --set train.epochs=3 "${quiet[@]}")

for locale in C de_DE.UTF-8; do
  for ranks in 1 2; do
    LC_ALL=$locale "$lockstep" "${train[@]}" --set data.train=rows.csv --set optim.l2=0.5 -n $ranks \
      --run-dir "$locale-$ranks" > out 2>&1 || complain "$locale on $ranks ranks ended with $?"
    expect_hash "$locale-$ranks" "$(hash_of C-1)"
  done
  expect_within 10 65 "comma.csv:2.*decimal comma" env LC_ALL=$locale "$lockstep" "${train[@]}" --set data.train=comma.csv
done
cmp C-1/config.toml de_DE.UTF-8-1/config.toml || complain "config.toml differs"
numbers() { grep -E '"(train\.|parameters_hash|steps|rows)' "$1/summary.json" | grep -v per_s; }
[[ -n $(numbers C-1) && $(numbers C-1) == "$(numbers de_DE.UTF-8-1)" ]] || complain "the numbers in summary.json differ"
LC_ALL=de_DE.UTF-8 "$lockstep" predict C-1 --data rows.csv --out german.csv > out 2>&1 || complain "predict"
LC_ALL=C "$lockstep" predict C-1 --data rows.csv --out plain.csv > out 2>&1 || complain "predict"
cmp german.csv plain.csv || complain "predictions differ"

finish "the locale changes nothing"
