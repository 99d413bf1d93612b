// SPDX-License-Identifier: Apache-2.0
#include "data/row_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace lockstep {

namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",;\t\r\n\" ") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

std::string label_text(const Label& label) {
  return label.is_number ? fmt::format("{}", label.number) : quoted(std::string(label.text));
}

}  // namespace

void RowText::begin(const RowSchema& schema) {
  schema_ = schema;
  if (schema.is_sparse || schema.feature_names.empty()) return;
  std::string line;
  for (const std::string& name : schema.feature_names) line += quoted(name) + ",";
  write_(line + (schema.has_weights ? "weight,label\n" : "label\n"));
}

std::int32_t RowText::category(Index feature, std::int32_t code, const std::string& text) {
  categories_.resize(static_cast<std::size_t>(schema_.features));
  std::vector<std::string>& texts = categories_[static_cast<std::size_t>(feature)];
  texts.resize(std::max(texts.size(), static_cast<std::size_t>(code) + 1));
  texts[static_cast<std::size_t>(code)] = text;
  return code;
}

std::string RowText::value_text(Index feature, float value) const {
  if (std::isnan(value)) return "";
  const auto at = static_cast<std::size_t>(feature);
  if (categories_.empty() || categories_[at].empty()) return fmt::format("{}", value);
  return quoted(categories_[at].at(static_cast<std::size_t>(value)));
}

void RowText::add(const Row& row) {
  if (left_-- <= 0) throw Enough();
  std::string line;
  const auto out = std::back_inserter(line);
  if (schema_.is_sparse) {
    line = label_text(row.label);
    if (schema_.has_weights) fmt::format_to(out, ":{}", row.weight);
    for (Index i = 0; i < row.count; ++i) fmt::format_to(out, " {}:{}", row.columns[i], row.values[i]);
  } else {
    for (Index j = 0; j < schema_.features; ++j) {
      if (row.bytes != nullptr)
        fmt::format_to(out, "{},", row.bytes[j]);
      else
        line += value_text(j, row.dense[j]) + ",";
    }
    if (schema_.has_weights) fmt::format_to(out, "{},", row.weight);
    line += label_text(row.label);
  }
  write_(line + "\n");
}

}  // namespace lockstep
