// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lockstep/data/row_sink.h"

namespace lockstep {

/// Rows as text that reads back as the same rows: CSV with the label last, a weight before it, and a header
/// where features have names, categories by their texts and missing values as empty fields; sparse rows as
/// LIBSVM.
class RowText final : public RowSink {
 public:
  /// Thrown by add() when `rows` are written.
  struct Enough {};
  RowText(Index rows, std::function<void(const std::string&)> write)
      : left_(rows), write_(std::move(write)) {}

  void begin(const RowSchema& schema) override;
  bool wants_next() const override { return true; }
  void skip() override {}
  void add(const Row& row) override;
  std::int32_t category(Index feature, std::int32_t code, const std::string& text) override;

 private:
  std::string value_text(Index feature, float value) const;

  Index left_;
  std::function<void(const std::string&)> write_;
  RowSchema schema_;
  std::vector<std::vector<std::string>> categories_;  // by feature, texts by code
};

}  // namespace lockstep
