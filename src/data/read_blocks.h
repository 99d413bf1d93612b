// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "data/block_parser.h"

namespace lockstep {

/// Reads a whole text source piece by piece and passes its rows to `sink`, one by one.
void read_blocks(const std::string& source, BlockParser& parser, RowSink& sink);

}  // namespace lockstep
