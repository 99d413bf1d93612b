// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/registry.h"
#include "lockstep/data/format.h"

namespace lockstep {

/// The formats of this library, chosen by data.format.
Registry<FormatRow> format_registry();

}  // namespace lockstep
