// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace lockstep {

/// A table for people: cells to the right under their headers, the first column to the left.
class Table {
 public:
  explicit Table(std::vector<std::string> headers) : rows_{std::move(headers)} {}

  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  /// All lines, each with its end.
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// "8 B", "16 KiB", "256 MiB".
std::string size_text(std::size_t bytes);
/// Three digits that count: "0.12", "8.70", "1050".
std::string three_digits(double value);

}  // namespace lockstep
