// SPDX-License-Identifier: Apache-2.0
#include "lockstep/plugins.h"

namespace lockstep {

Plugins builtin_plugins() {
  Plugins plugins;
  return plugins;
}

}  // namespace lockstep
