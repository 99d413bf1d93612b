// SPDX-License-Identifier: Apache-2.0
#include "data/demo.h"

#include "data/demo_rows.h"

namespace lockstep {

bool DemoFormat::matches(std::string_view source, std::string_view) {
  return source.substr(0, 5) == "demo:";
}

void DemoFormat::read(const std::string& source, RowSink& sink) const {
  const DemoOptions options = parse_demo(source);
  const std::unique_ptr<DemoRows> rows = make_demo_rows(source);
  RowSchema schema = rows->schema();
  schema.rows = options.rows;
  sink.begin(schema);
  for (Index i = 0; i < options.rows; ++i) {
    if (!sink.wants_next()) {
      sink.skip();
      continue;
    }
    Row row;
    row.line = i + 1;
    rows->make(static_cast<std::uint64_t>(options.first_row + i), row);
    sink.add(row);
  }
}

}  // namespace lockstep
