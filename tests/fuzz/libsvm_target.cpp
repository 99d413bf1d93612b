// SPDX-License-Identifier: Apache-2.0
#include "fuzz/row_input.h"
#include "fuzz/targets.h"

namespace lockstep::testing {

namespace {

RowInput::Settings settings_of(unsigned char choice) {
  RowInput::Settings settings{{"data.format", (choice & 1) != 0 ? "libffm" : "libsvm"}};
  if ((choice & 2) != 0) settings.emplace_back("data.hash_bits", "10");
  if ((choice & 4) != 0) settings.emplace_back("data.on_bad_row", "skip");
  if ((choice & 8) != 0) settings.emplace_back("data.index_base", "0");
  if ((choice & 16) != 0) settings.emplace_back("data.features", "100");
  if ((choice & 32) != 0) settings.emplace_back("data.class_weights", "balanced");
  if ((choice & 64) != 0)
    settings.emplace_back((choice & 1) != 0 ? "data.standardize" : "data.scale",
                          (choice & 1) != 0 ? "true" : "minmax");
  return settings;
}

}  // namespace

// A byte that says how, then text.
bool fuzz_libsvm(std::string_view input) {
  static RowInput rows(settings_of);
  const unsigned char choice = take_byte(input);
  return rows.accepts(input, choice, (choice & 128) != 0);
}

}  // namespace lockstep::testing
