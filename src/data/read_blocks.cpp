// SPDX-License-Identifier: Apache-2.0
#include "data/read_blocks.h"

#include "data/text_reader.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

Label label_of(const RowBlock& block, std::size_t i, const BlockParser& parser) {
  Label label;
  label.number = block.labels[i];
  label.column = block.label_columns[i];
  if (block.label_texts.empty() || block.label_texts[i] < 0) return label;
  label.is_number = false;
  label.text = parser.dictionary(-1)[static_cast<std::size_t>(block.label_texts[i])];
  return label;
}

}  // namespace

void pass_rows(const RowBlock& block, const BlockParser& parser, Index lines_before, RowSink& sink) {
  const RowSchema& schema = parser.schema();
  for (std::size_t i = 0; i < block.lines.size(); ++i) {
    Row row;
    row.line = lines_before + block.lines[i];
    row.label = label_of(block, i, parser);
    if (!block.weights.empty()) row.weight = block.weights[i];
    if (schema.is_sparse) {
      row.columns = block.columns.data() + block.offsets[i];
      row.values = block.values.data() + block.offsets[i];
      row.count = block.offsets[i + 1] - block.offsets[i];
    } else {
      row.dense = block.dense.data() + i * static_cast<std::size_t>(schema.features);
    }
    sink.add(row);
  }
}

void read_blocks(const std::string& source, BlockParser& parser, RowSink& sink) {
  if (!parser.has_lines()) return;
  sink.begin(parser.schema());
  TextReader reader(source);
  Index lines_before = parser.first_line() - 1;
  while (reader.number() < lines_before && reader.next()) continue;
  RowBlock block;
  while (reader.next_piece()) {
    parser.parse(reader.piece(), block);
    pass_rows(block, parser, lines_before, sink);
    for (const BadLine& bad : block.bad_lines)
      throw Error(ExitCode::kData, source + ":" + std::to_string(lines_before + bad.line) + ":" +
                                       std::to_string(bad.column) + ": " + bad.what);
    lines_before += block.line_count;
  }
}

}  // namespace lockstep
