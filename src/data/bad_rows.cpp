// SPDX-License-Identifier: Apache-2.0
#include "data/bad_rows.h"

namespace lockstep {

std::string skipped_sentence(const BadRows& rows) {
  std::string text = std::to_string(rows.count()) + (rows.count() == 1 ? " row was wrong and was skipped"
                                                                       : " rows were wrong and were skipped");
  if (static_cast<std::size_t>(rows.count()) > rows.named().size()) text += ", the first of them";
  text += ":";
  for (const std::string& name : rows.named()) text += "\n  " + name;
  return text;
}

}  // namespace lockstep
