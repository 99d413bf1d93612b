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

void CategoryCodes::translate(RowBlock& block, RowSink& sink) {
  const auto width = static_cast<std::size_t>(parser_.schema().features);
  for (std::size_t j = 0; j < codes_.size(); ++j) {
    if (!parser_.schema().is_category[j]) continue;
    const auto feature = static_cast<Index>(j);
    const std::vector<std::string>& texts = parser_.dictionary(feature);
    for (std::size_t code = codes_[j].size(); code < texts.size(); ++code)
      codes_[j].push_back(
          static_cast<float>(sink.category(feature, static_cast<std::int32_t>(code), texts[code])));
    for (std::size_t at = j; at < block.dense.size(); at += width)
      if (block.dense[at] >= 0) block.dense[at] = codes_[j][static_cast<std::size_t>(block.dense[at])];
  }
}

void read_blocks(const std::string& source, BlockParser& parser, RowSink& sink) {
  if (!parser.has_lines()) return;
  sink.begin(parser.schema());
  TextReader reader(source);
  Index lines_before = parser.first_line() - 1;
  while (reader.number() < lines_before && reader.next()) continue;
  RowBlock block;
  Index bad_count = 0;
  std::vector<std::string> named;
  CategoryCodes codes(parser);
  while (reader.next_piece()) {
    parser.parse(reader.piece(), block);
    codes.translate(block, sink);
    pass_rows(block, parser, lines_before, sink);
    bad_count += block.bad_count;
    for (const BadLine& bad : block.bad_lines) {
      const std::string text = source + ":" + std::to_string(lines_before + bad.line) + ":" +
                               std::to_string(bad.column) + ": " + bad.what;
      if (!parser.skips_bad_rows()) throw Error(ExitCode::kData, text);
      if (named.size() < RowBlock::kNamedBadLines) named.push_back(text);
    }
    lines_before += block.line_count;
  }
  if (bad_count > 0) sink.skip_bad(bad_count, named);
}

}  // namespace lockstep
