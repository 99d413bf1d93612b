// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include "cli/option_table.h"
#include "core/config.h"
#include "core/setting.h"
#include "fuzz/input_file.h"
#include "fuzz/targets.h"
#include "lockstep/run.h"

namespace lockstep::testing {

// A TOML file. What is accepted can be written, and is then read as the same.
bool fuzz_config(std::string_view input) {
  static const InputFile file("config.toml");
  static const OptionTable table = all_options(builtin_plugins());
  return is_accepted([&] {
    const ConfigRequest request{{file.write(input)}, false, {}};
    read_toml(table, file.path());  // refuses most, and costs less
    const std::string text = to_toml(resolve_config(table, request), false);
    file.write(text);
    if (to_toml(resolve_config(table, request), false) != text)
      throw std::logic_error("a resolved config is read as another one");
  });
}

}  // namespace lockstep::testing
