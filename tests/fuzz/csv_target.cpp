// SPDX-License-Identifier: Apache-2.0
#include "fuzz/row_input.h"
#include "fuzz/targets.h"

namespace lockstep::testing {

namespace {

RowInput::Settings settings_of(unsigned char choice) {
  static constexpr const char* kCategories[] = {"refuse", "onehot", "embed", "hash"};
  static constexpr const char* kMissing[] = {"refuse", "mean", "zero", "indicator"};
  const unsigned categories = choice & 3, missing = (choice >> 2) & 3;
  RowInput::Settings settings{{"data.format", "csv"},
                              {"data.categories", kCategories[categories]},
                              {"data.missing", kMissing[missing == 1 && categories == 3 ? 2 : missing]}};
  if (categories == 3) settings.emplace_back("data.hash_bits", "10");
  if ((choice & 16) != 0) settings.emplace_back("data.on_bad_row", "skip");
  if ((choice & 32) != 0) settings.emplace_back("data.weight", "1");
  if ((choice & 64) != 0) settings.emplace_back("data.standardize", "true");
  return settings;
}

}  // namespace

// A byte that says how, then text.
bool fuzz_csv(std::string_view input) {
  static RowInput rows(settings_of);
  const unsigned char choice = take_byte(input);
  return rows.accepts(input, choice, (choice & 128) != 0);
}

}  // namespace lockstep::testing
