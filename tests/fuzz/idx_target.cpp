// SPDX-License-Identifier: Apache-2.0
#include "fuzz/row_input.h"
#include "fuzz/targets.h"

namespace lockstep::testing {

namespace {

const InputFile& labels() {
  static const InputFile file("labels");
  return file;
}

RowInput::Settings settings_of(unsigned char choice) {
  RowInput::Settings settings{{"data.format", "idx"}, {"data.labels", labels().path()}};
  if ((choice & 1) != 0) settings.emplace_back("data.standardize", "true");
  if ((choice & 2) != 0) settings.emplace_back("data.scale", "minmax");
  if ((choice & 3) == 3) settings.pop_back();
  return settings;
}

}  // namespace

// A byte that says how, a labels file behind its length, then the rows.
bool fuzz_idx(std::string_view input) {
  static RowInput rows(settings_of);
  const unsigned char choice = take_byte(input);
  labels().write(take_part(input));
  return rows.accepts(input, choice & 3, (choice & 4) != 0);
}

}  // namespace lockstep::testing
