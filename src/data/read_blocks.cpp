// SPDX-License-Identifier: Apache-2.0
#include "data/read_blocks.h"

#include "data/import_pieces.h"
#include "data/text_reader.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

Label label_of(const RowBlock& block, std::size_t i, const BlockParser& parser) {
  Label label;
  label.number = block.labels[i];
  label.column = block.label_columns[i];
  if (!block.has_text_label(i)) return label;
  label.is_number = false;
  label.text = parser.dictionary(-1)[static_cast<std::size_t>(block.label_texts[i])];
  return label;
}

/// Passes the rows of piece after piece to a sink.
class BlockReader {
 public:
  BlockReader(const std::string& source, BlockParser& parser, RowSink& sink)
      : source_(source),
        parser_(parser),
        sink_(sink),
        codes_(parser),
        lines_before_(parser.first_line() - 1) {}

  void read(std::string_view text) {
    parser_.parse(text, block_);
    codes_.translate(block_, sink_);
    pass_rows(block_, parser_, lines_before_, sink_);
    bad_count_ += block_.bad_count;
    for (const BadLine& bad : block_.bad_lines) {
      const std::string what = source_ + ":" + std::to_string(lines_before_ + bad.line) + ":" +
                               std::to_string(bad.column) + ": " + bad.what;
      if (!parser_.skips_bad_rows()) throw Error(ExitCode::kData, what);
      if (named_.size() < RowBlock::kNamedBadLines) named_.push_back(what);
    }
    lines_before_ += block_.line_count;
  }
  void finish() {
    if (bad_count_ > 0) sink_.skip_bad(bad_count_, named_);
  }

 private:
  const std::string& source_;
  BlockParser& parser_;
  RowSink& sink_;
  RowBlock block_;
  CategoryCodes codes_;
  Index lines_before_, bad_count_ = 0;
  std::vector<std::string> named_;
};

}  // namespace

void pass_rows(const RowBlock& block, const BlockParser& parser, Index lines_before, RowSink& sink) {
  for (std::size_t i = 0; i < block.lines.size(); ++i) {
    Row row = block.row(i, parser.schema());
    row.line = lines_before + block.lines[i];
    row.label = label_of(block, i, parser);
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
  BlockReader blocks(source, parser, sink);
  if (const auto pieces = parser.pieces(source, ImportPieces::kPieceBytes)) {
    for (std::string_view text; pieces->next(true, text);) blocks.read(text);
    return blocks.finish();
  }
  TextReader reader(source);
  while (reader.number() < parser.first_line() - 1 && reader.next()) continue;
  while (reader.next_piece()) blocks.read(reader.piece());
  blocks.finish();
}

}  // namespace lockstep
