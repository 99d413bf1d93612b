// SPDX-License-Identifier: Apache-2.0
#include "lockstep/data/format.h"

#include "data/block_parser.h"

namespace lockstep {

std::unique_ptr<BlockParser> Format::parser(const std::string&, Index) const {
  return nullptr;
}

std::unique_ptr<Format> Format::for_files(const std::vector<std::string>&, Index) const {
  return nullptr;
}

}  // namespace lockstep
