// SPDX-License-Identifier: Apache-2.0
#include "cli/option_table.h"

namespace lockstep {

OptionTable all_options(const Plugins& plugins) {
  OptionTable table;
  plugins.formats.declare(table);
  plugins.models.declare(table);
  plugins.losses.declare(table);
  plugins.optimizers.declare(table);
  plugins.schedules.declare(table);
  plugins.reducers.declare(table);
  return table;
}

}  // namespace lockstep
