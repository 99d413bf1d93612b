// SPDX-License-Identifier: Apache-2.0
#include "cli/option_table.h"
#include "fuzz/input_file.h"
#include "fuzz/targets.h"
#include "fuzz/tensor_input.h"
#include "lockstep/run.h"
#include "train/load_model.h"

namespace lockstep::testing {

// See tensor_file().
bool fuzz_model(std::string_view input) {
  static const InputFile file("model.safetensors");
  static const Plugins plugins = builtin_plugins();
  static const OptionTable table = all_options(plugins);
  return is_accepted([&] { load_model(file.write(tensor_file(input)), table, {}, plugins); });
}

}  // namespace lockstep::testing
