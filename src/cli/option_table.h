// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/options.h"
#include "lockstep/plugins.h"

namespace lockstep {

/// Every option of the program: those of the rooms, then those of the plug-ins.
OptionTable all_options(const Plugins& plugins);

}  // namespace lockstep
