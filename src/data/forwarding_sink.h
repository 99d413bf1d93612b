// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lockstep/data/row_sink.h"

namespace lockstep {

/// Passes everything on to another sink, for those that change or watch a part of it.
class ForwardingSink : public RowSink {
 public:
  explicit ForwardingSink(RowSink& sink) : sink_(sink) {}

  void begin(const RowSchema& schema) override { sink_.begin(schema); }
  Index unlabelled_features() const override { return sink_.unlabelled_features(); }
  bool wants_next() const override { return sink_.wants_next(); }
  void skip() override { sink_.skip(); }
  void add(const Row& row) override { sink_.add(row); }
  std::int32_t category(Index feature, std::int32_t code, const std::string& text) override {
    return sink_.category(feature, code, text);
  }
  void skip_bad(Index count, const std::vector<std::string>& named) override { sink_.skip_bad(count, named); }

 private:
  RowSink& sink_;
};

}  // namespace lockstep
