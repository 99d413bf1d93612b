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
  RowInput::Settings settings{{"data.format", "npy"}};
  if ((choice & 1) != 0) settings.emplace_back("data.labels", labels().path());
  if ((choice & 2) != 0) settings.emplace_back("data.weight", "0");
  if ((choice & 4) != 0) settings.emplace_back("data.standardize", "true");
  return settings;
}

}  // namespace

// A byte that says how, perhaps a labels file behind its length, then the rows.
bool fuzz_npy(std::string_view input) {
  static RowInput rows(settings_of);
  const unsigned char choice = take_byte(input);
  if ((choice & 1) != 0) labels().write(take_part(input));
  return rows.accepts(input, choice & 7, (choice & 8) != 0);
}

}  // namespace lockstep::testing
