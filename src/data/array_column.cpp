// SPDX-License-Identifier: Apache-2.0
#include "data/array_column.h"

#include <charconv>

#include "lockstep/core/error.h"

namespace lockstep {

Index find_array_column(const std::string& path, const std::string& key, const std::string& text,
                        Index count) {
  Index column = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), column);
  if (error != std::errc{} || end != text.data() + text.size())
    throw Error(ExitCode::kData, path + ": " + key + " = \"" + text +
                                     "\": an array has no column names, a number was expected");
  if (column < -count || column >= count)
    throw Error(ExitCode::kData, path + ": " + key + " = " + text + ": the file has " +
                                     std::to_string(count) + " columns, counted from 0");
  return column < 0 ? column + count : column;
}

}  // namespace lockstep
