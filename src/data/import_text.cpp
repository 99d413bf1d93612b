// SPDX-License-Identifier: Apache-2.0
#include "data/import_text.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "comm/agreement.h"
#include "data/block_parser.h"
#include "data/cache_label.h"
#include "data/cache_writer.h"
#include "data/import_dictionaries.h"
#include "data/import_files.h"
#include "data/import_notes.h"
#include "data/import_pieces.h"
#include "data/row_encoder.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

/// What was seen only after rows had been written without it: the import starts again.
struct Needs {
  bool long_labels = false;
  bool weights = false;
  bool operator==(const Needs&) const = default;
};

/// What a rank tells of its piece.
struct PieceCounts {
  Index is_piece = 0, file = 0, rows = 0, entries = 0, lines = 0, bad = 0;
  Index has_problem = 0, has_texts = 0, long_labels = 0, weights = 0;
};

/// Where the rows of this rank's piece begin.
struct Place {
  Index row = 0, line = 0;
  std::uint64_t entry = 0;
};

class Import {
 public:
  Import(Communicator& communicator, const ImportRequest& request, const std::filesystem::path& path,
         Needs needs)
      : communicator_(communicator), request_(request), needs_(needs) {
    on_all_ranks(communicator, [&] { begin(); });
    CacheHeader header;
    header.kind = kind_;
    header.features = static_cast<std::uint64_t>(schema_.features);
    header.label_bytes = needs.long_labels ? 8 : 4;
    header.has_weights = schema_.has_weights || needs.weights ? 1 : 0;
    encoder_.emplace(header);
    writer_.emplace(communicator, path, header);
  }

  /// Collective. Whether all was written; or what it takes to.
  std::optional<Needs> run() {
    while (true) {
      const std::vector<PieceCounts> all = read_round();
      const bool is_end =
          std::none_of(all.begin(), all.end(), [](const auto& counts) { return counts.is_piece != 0; });
      if (is_end) break;
      agree_on_texts(all);
      Needs needs = needs_;
      needs.long_labels |= dictionaries_->texts(0).size() >= (1U << 22);
      for (const PieceCounts& counts : all) {
        needs.long_labels |= counts.long_labels != 0;
        needs.weights |= counts.weights != 0 && !schema_.has_weights;
      }
      if (needs != needs_) return needs;
      const Place place = place_of_mine(all);
      try {
        if (!error_) write_block(place);
      } catch (...) {
        error_ = std::current_exception();  // told in the next round
      }
    }
    finish();
    return {};
  }

 private:
  void begin() {
    files_.emplace(request_.format, request_.files, request_.unlabelled_features);
    schema_ = files_->parser().schema();
    std::vector<Index> columns{-1};
    for (std::size_t j = 0; j < schema_.is_category.size(); ++j)
      if (schema_.is_category[j]) columns.push_back(static_cast<Index>(j));
    dictionaries_.emplace(columns);
    kind_ = kind_of_rows(request_.kind, schema_);
    pieces_.emplace(files_->starts(),
                    request_.piece_bytes > 0 ? request_.piece_bytes : ImportPieces::kPieceBytes);
    lines_ = files_->lines_before();
  }

  // Collective. Parses this rank's piece of the next round.
  std::vector<PieceCounts> read_round() {
    PieceCounts mine;
    try {
      if (error_) std::rethrow_exception(error_);
      mine = parse_mine();
    } catch (...) {
      error_ = std::current_exception();
      mine.has_problem = 1;
    }
    std::vector<PieceCounts> all(static_cast<std::size_t>(communicator_.size()));
    all_gather(communicator_, &mine, sizeof mine, all.data());
    const bool is_problem =
        std::any_of(all.begin(), all.end(), [](const auto& counts) { return counts.has_problem != 0; });
    if (is_problem) throw_first_problem(all);
    try {
      if (communicator_.rank() < writer_->writers()) writer_->advance(rows_, entries_);
    } catch (...) {
      error_ = std::current_exception();
    }
    return all;
  }

  PieceCounts parse_mine() {
    PieceCounts counts;
    ImportPieces::Piece piece;
    for (int rank = 0; rank < writer_->writers(); ++rank) {
      const bool is_mine = rank == communicator_.rank();
      if (!pieces_->next(is_mine, piece)) break;
      if (!is_mine) continue;
      counts.is_piece = 1;
      counts.file = piece.file;
      files_->parser().parse(piece.text, block_);
    }
    if (counts.is_piece == 0) block_.clear();
    counts.rows = block_.rows();
    counts.entries = static_cast<Index>(block_.columns.size());
    counts.lines = block_.line_count;
    counts.bad = block_.bad_count;
    counts.has_problem = block_.bad_count > 0 && refuses() ? 1 : 0;
    counts.weights = block_.weights.empty() ? 0 : 1;
    fresh_ = dictionaries_->fresh(files_->parser());
    counts.has_texts = fresh_.empty() ? 0 : 1;
    for (std::size_t i = 0; i < block_.labels.size(); ++i)
      if (!block_.has_text_label(i) && !is_short_label(block_.labels[i])) counts.long_labels = 1;
    return counts;
  }

  // Where bad lines are skipped, parsing goes on behind them.
  int file_number() const { return files_->number(static_cast<std::size_t>(file_)); }
  bool refuses() const { return request_.refuses_bad_rows; }

  Index lines_before(const std::vector<PieceCounts>& all, int rank) const {
    const Index file = all[static_cast<std::size_t>(rank)].file;
    Index lines = lines_[static_cast<std::size_t>(file)];
    for (int r = 0; r < rank; ++r)
      if (all[static_cast<std::size_t>(r)].file == file) lines += all[static_cast<std::size_t>(r)].lines;
    return lines;
  }

  std::string text_of(const BadLine& bad, Index file, Index lines) const {
    return files_->starts()[static_cast<std::size_t>(file)].path + ":" + std::to_string(lines + bad.line) +
           ":" + std::to_string(bad.column) + ": " + bad.what;
  }

  // Collective. A bad line of a piece is as good as an exception.
  [[noreturn]] void throw_first_problem(const std::vector<PieceCounts>& all) {
    const int me = communicator_.rank();
    const PieceCounts& mine = all[static_cast<std::size_t>(me)];
    std::string text;
    char code = static_cast<char>(ExitCode::kData);
    try {
      if (error_) std::rethrow_exception(error_);
      if (mine.has_problem != 0) text = text_of(block_.bad_lines.at(0), mine.file, lines_before(all, me));
    } catch (const Error& error) {
      code = static_cast<char>(error.code());
      text = error.what();
    } catch (const std::exception& error) {
      code = static_cast<char>(ExitCode::kInternal);
      text = error.what();
    }
    for (const std::string& problem : all_gather(communicator_, text.empty() ? text : code + text))
      if (!problem.empty()) throw AgreedError(static_cast<ExitCode>(problem[0]), problem.substr(1));
    throw AgreedError(ExitCode::kInternal, "a rank could not read its piece");
  }

  // Collective.
  void agree_on_texts(const std::vector<PieceCounts>& all) {
    if (std::any_of(all.begin(), all.end(), [](const auto& counts) { return counts.has_texts != 0; }))
      dictionaries_->take(all_gather(communicator_, fresh_));
  }

  // Where this rank's piece lies, and what the round adds to the counts.
  Place place_of_mine(const std::vector<PieceCounts>& all) {
    Place mine;
    for (int rank = 0; rank < communicator_.size(); ++rank) {
      const PieceCounts& counts = all[static_cast<std::size_t>(rank)];
      if (counts.is_piece == 0) continue;
      if (rank == communicator_.rank())
        mine = {rows_, lines_[static_cast<std::size_t>(counts.file)], entries_};
      if (rank == communicator_.rank()) file_ = counts.file;
      rows_ += counts.rows;
      entries_ += static_cast<std::uint64_t>(counts.entries);
      lines_[static_cast<std::size_t>(counts.file)] += counts.lines;
      bad_count_ += counts.bad;
    }
    return mine;
  }

  void write_block(const Place& place) {
    for (const BadLine& bad : block_.bad_lines)
      notes_.add_bad_line(file_number(), place.line + bad.line, text_of(bad, file_, place.line));
    const auto rows = static_cast<std::size_t>(block_.rows());
    if (rows == 0) return;
    dictionaries_->translate(block_, schema_.features);
    encoder_->clear(place.entry);
    for (std::size_t i = 0; i < rows; ++i) {
      const double label = label_of(i);
      const Row row = row_of(i, label);
      add_row(row, label, place.line + block_.lines[i]);
      notes_.add_row(schema_,
                     {place.row + static_cast<Index>(i), file_number(), place.line + block_.lines[i]},
                     encoder_->stored(row), label);
    }
    writer_->write_rows(place.row, encoder_->records());
    if (schema_.is_sparse) writer_->write_entries(place.entry, encoder_->entries());
  }

  void add_row(const Row& row, double label, Index line) {
    try {
      encoder_->add(row, label);
    } catch (const Error& error) {
      throw Error(error.code(), files_->starts()[static_cast<std::size_t>(file_)].path + ":" +
                                    std::to_string(line) + ": " + error.what());
    }
  }

  double label_of(std::size_t row) const {
    if (!block_.has_text_label(row)) return block_.labels[row];
    return text_label(static_cast<std::uint32_t>(dictionaries_->code(0, block_.label_texts[row])));
  }

  Row row_of(std::size_t i, double label) const {
    Row row = block_.row(i, schema_);
    row.label.is_number = !std::isnan(label);
    row.label.number = row.label.is_number ? label : 0;
    if (!row.label.is_number) row.label.text = dictionaries_->texts(0)[label_code(label)];
    return row;
  }

  // Collective.
  void finish() {
    rethrow_first_error(communicator_, error_);
    CacheMetadata metadata;
    metadata.identity = request_.identity;
    metadata.source = request_.source;
    metadata.files = request_.files;
    metadata.feature_names = schema_.feature_names;
    metadata.hashed = schema_.hashed;
    metadata.classes = schema_.classes;
    dictionaries_->describe(schema_.features, metadata);
    metadata.warnings = schema_.warnings;
    metadata.bad_count = bad_count_;
    notes_.gather(communicator_, metadata);
    writer_->finish(rows_, entries_, metadata);
  }

  Communicator& communicator_;
  const ImportRequest& request_;
  Needs needs_;
  RowSchema schema_;
  CacheKind kind_ = CacheKind::kFloat32;
  std::optional<ImportFiles> files_;
  std::optional<ImportDictionaries> dictionaries_;
  std::optional<ImportPieces> pieces_;
  std::optional<CacheWriter> writer_;
  std::optional<RowEncoder> encoder_;
  std::exception_ptr error_;

  RowBlock block_;
  std::string fresh_;
  Index file_ = 0;  // of the block
  Index rows_ = 0;  // of all ranks
  std::uint64_t entries_ = 0;
  std::vector<Index> lines_;  // of each file, header included
  Index bad_count_ = 0;

  ImportNotes notes_;
};

}  // namespace

void import_text(Communicator& communicator, const ImportRequest& request,
                 const std::filesystem::path& path) {
  Needs needs;
  while (true) {
    Import import(communicator, request, path, needs);
    const std::optional<Needs> more = import.run();
    if (!more) return;
    needs = *more;
  }
}

}  // namespace lockstep
