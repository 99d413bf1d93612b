// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lockstep/core/error.h"
#include "lockstep/core/options.h"

namespace [[gnu::visibility("default")]] lockstep {

/// The table of one kind of plug-in. A Row has `name`, `summary` and `declare(OptionTable&)` (may be null).
template <class Row>
class Registry {
 public:
  Registry() = default;
  Registry(std::string selector, std::vector<Row> rows)
      : selector_(std::move(selector)), rows_(std::move(rows)) {}

  void add(Row row) { rows_.push_back(std::move(row)); }
  const std::vector<Row>& rows() const { return rows_; }
  /// The key that chooses among the rows: "optim.name".
  const std::string& selector() const { return selector_; }

  const Row& find(std::string_view name) const {
    for (const Row& row : rows_)
      if (row.name == name) return row;
    std::string known;
    for (const Row& row : rows_) known += (known.empty() ? "" : ", ") + std::string(row.name);
    throw Error(ExitCode::kConfig, selector_ + " = \"" + std::string(name) + "\" is not one of: " + known);
  }

  void declare(OptionTable& table) const {
    for (const Row& row : rows_) {
      if (!row.declare) continue;
      table.begin_owner(selector_, std::string(row.name));
      row.declare(table);
      table.end_owner();
    }
  }

  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const Row& row : rows_) result.emplace_back(row.name);
    return result;
  }

 private:
  std::string selector_;
  std::vector<Row> rows_;
};

}  // namespace lockstep
