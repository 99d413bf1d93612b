// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lockstep/core/view.h"

namespace lockstep {

/// The column of an array of `count` that an option names by its number, from 0, or from −1 for the last.
/// Throws Error(kData) for anything else.
Index find_array_column(const std::string& path, const std::string& key, const std::string& text,
                        Index count);

}  // namespace lockstep
