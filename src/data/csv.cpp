// SPDX-License-Identifier: Apache-2.0
#include "data/csv.h"

#include "data/csv_parser.h"
#include "data/read_blocks.h"

namespace lockstep {

CsvFormat::CsvFormat(const Options& options)
    : settings_{options.text("data.label"), options.text("data.weight"), options.text("data.header")} {
  const std::string& delimiter = options.text("data.delimiter");
  if (delimiter == "tab")
    settings_.delimiter = '\t';
  else if (delimiter != "auto")
    settings_.delimiter = delimiter[0];
}

bool CsvFormat::matches(std::string_view source, std::string_view head) {
  (void)source;
  const auto is_text = [](char c) { return static_cast<unsigned char>(c) >= 32 || c == '\t' || c == '\r'; };
  const std::string_view line = head.substr(0, head.find('\n'));
  for (const char c : line)
    if (!is_text(c)) return false;
  return !line.empty() || !head.empty();
}

void CsvFormat::read(const std::string& source, RowSink& sink) const {
  read_blocks(source, *parser(source, sink.unlabelled_features()), sink);
}

std::unique_ptr<BlockParser> CsvFormat::parser(const std::string& source, Index unlabelled_features) const {
  return std::make_unique<CsvParser>(source, settings_, unlabelled_features);
}

}  // namespace lockstep
