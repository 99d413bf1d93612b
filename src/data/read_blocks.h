// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "data/block_parser.h"

namespace lockstep {

/// Passes the rows of a block to `sink`, which knows the parser's schema; lines count from `lines_before`.
void pass_rows(const RowBlock& block, const BlockParser& parser, Index lines_before, RowSink& sink);

/// Reads a whole text source piece by piece and passes its rows to `sink`, one by one.
void read_blocks(const std::string& source, BlockParser& parser, RowSink& sink);

}  // namespace lockstep
