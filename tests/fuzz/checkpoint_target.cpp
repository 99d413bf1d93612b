// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include "fuzz/input_file.h"
#include "fuzz/targets.h"
#include "fuzz/tensor_input.h"

namespace lockstep::testing {

// See tensor_file().
bool fuzz_checkpoint(std::string_view input) {
  static const InputFile file("step-000000000001.safetensors");
  return is_accepted(
      [&] { parse_run_state(read_checkpoint(file.write(tensor_file(input))).metadata.at("state")); });
}

}  // namespace lockstep::testing
