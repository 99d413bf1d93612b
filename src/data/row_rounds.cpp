// SPDX-License-Identifier: Apache-2.0
#include "data/row_rounds.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "comm/agreement.h"
#include "data/block_parser.h"
#include "data/dataset_builder.h"
#include "data/dictionary.h"
#include "data/import_pieces.h"
#include "data/load.h"
#include "data/read_blocks.h"
#include "data/row_filter.h"
#include "data/row_router.h"
#include "data/source_files.h"
#include "data/source_reader.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

bool skips_bad_rows(const RoundsRequest& request) {
  return request.needs_labels && request.options.text("data.on_bad_row") == "skip";
}

/// The rows of one piece on their way into a data set.
class PieceRows {
 public:
  PieceRows(const RoundsRequest& request, const std::vector<std::string>& files, BadRows& bad)
      : request_(request),
        labels_(request.schema.classes),
        builder_(settings_of(request), labels_),
        router_(builder_, nullptr, all_, false) {
    if (!request.needs_labels) router_.allow_unlabelled(request.schema.columns());
    if (skips_bad_rows(request)) router_.skip_bad_rows(bad);
    builder_.name_files(files);
  }

  RowSink& sink() { return router_; }
  std::optional<Dataset> finish() {
    const TrainedSchema& schema = request_.schema;
    if (builder_.rows() == 0) return {};
    return builder_.finish(
        {schema.features, schema.index_base, schema.preprocessing, {}, "", schema.encoding});
  }

 private:
  static DatasetBuilder::Settings settings_of(const RoundsRequest& request) {
    DatasetBuilder::Settings settings;
    settings.source = request.source;
    settings.task = request.task;
    settings.needs_labels = request.needs_labels;
    settings.check_label = request.check_label;
    settings.trained = &request.schema;
    return settings;
  }

  const RoundsRequest& request_;
  const RowFilter all_;
  LabelTable labels_;
  DatasetBuilder builder_;
  RowRouter router_;
};

// Collective. The error of the lowest rank that has one, whose piece is the first of the round.
void throw_first(Communicator& communicator, const std::exception_ptr& mine) {
  std::string text;
  try {
    if (mine) std::rethrow_exception(mine);
  } catch (const Error& error) {
    text = static_cast<char>(error.code()) + std::string(error.what());
  } catch (const std::bad_alloc&) {
    text = static_cast<char>(ExitCode::kData) + std::string("a piece of the rows does not fit into memory");
  } catch (const std::exception& error) {
    text = static_cast<char>(ExitCode::kInternal) + std::string(error.what());
  }
  for (const std::string& problem : all_gather(communicator, text))
    if (!problem.empty()) throw AgreedError(static_cast<ExitCode>(problem[0]), problem.substr(1));
}

/// What has a parser: every rank parses its own piece.
class TextRounds {
 public:
  TextRounds(Communicator& communicator, const RoundsRequest& request, std::vector<std::string> files)
      : communicator_(communicator), request_(request), files_(std::move(files)) {}

  /// False where the source cannot be cut.
  bool open(const Format& format) {
    std::vector<ImportPieces::Start> starts;
    for (const std::string& file : files_) {
      parsers_.push_back(format.parser(file, request_.needs_labels ? -1 : request_.schema.columns()));
      if (parsers_.back() == nullptr) return false;
      lines_.push_back(parsers_.back()->first_line() - 1);
      starts.push_back({file, parsers_.back()->first_byte(), parsers_.back().get()});
    }
    pieces_.emplace(std::move(starts),
                    request_.piece_bytes > 0 ? request_.piece_bytes : ImportPieces::kPieceBytes);
    return true;
  }

  void run(const UseRows& use) {
    while (true) {
      std::exception_ptr error;
      Counts mine;
      try {
        mine = parse_mine();
      } catch (...) {
        error = std::current_exception();
      }
      const Index lines_before = count_lines(mine);
      if (is_over_ && !error_anywhere(error)) return;
      std::optional<Dataset> rows;
      BadRows bad;
      try {
        if (!error && mine.file >= 0) rows = rows_of(static_cast<std::size_t>(mine.file), lines_before, bad);
      } catch (...) {
        error = std::current_exception();
      }
      throw_first(communicator_, error);
      use(rows ? &*rows : nullptr, bad);
    }
  }

 private:
  struct Counts {
    Index file = -1;  // of the piece; −1: there is none
    Index lines = 0;
  };

  Counts parse_mine() {
    Counts mine;
    ImportPieces::Piece piece;
    for (int rank = 0; rank < communicator_.size(); ++rank) {
      const bool is_mine = rank == communicator_.rank();
      if (!pieces_->next(is_mine, piece)) break;
      if (!is_mine) continue;
      mine.file = piece.file;
      parsers_[static_cast<std::size_t>(piece.file)]->parse(piece.text, block_);
      mine.lines = block_.line_count;
    }
    return mine;
  }

  // Collective. Lines of its file before this rank's piece.
  Index count_lines(const Counts& mine) {
    std::vector<Counts> all(static_cast<std::size_t>(communicator_.size()));
    all_gather(communicator_, &mine, sizeof mine, all.data());
    Index before = 0;
    is_over_ = true;
    for (int rank = 0; rank < communicator_.size(); ++rank) {
      const Counts& counts = all[static_cast<std::size_t>(rank)];
      if (counts.file < 0) continue;
      is_over_ = false;
      Index& lines = lines_[static_cast<std::size_t>(counts.file)];
      if (rank == communicator_.rank()) before = lines;
      lines += counts.lines;
    }
    return before;
  }

  // Collective.
  bool error_anywhere(const std::exception_ptr& mine) {
    throw_first(communicator_, mine);
    return false;
  }

  std::optional<Dataset> rows_of(std::size_t file, Index lines_before, BadRows& skipped) {
    BlockParser& parser = *parsers_[file];
    PieceRows piece(request_, files_, skipped);
    RowSchema schema = parser.schema();
    schema.rows = -1;  // known only of all pieces together
    piece.sink().begin(schema);
    CategoryCodes(parser).translate(block_, piece.sink());
    pass_rows(block_, parser, lines_before + (static_cast<Index>(file) << kFileShift), piece.sink());
    for (const BadLine& bad : block_.bad_lines) {
      const std::string text = files_[file] + ":" + std::to_string(lines_before + bad.line) + ":" +
                               std::to_string(bad.column) + ": " + bad.what;
      if (!parser.skips_bad_rows()) throw Error(ExitCode::kData, text);
      skipped.add(text);
    }
    skipped.add_unnamed(block_.bad_count - static_cast<Index>(block_.bad_lines.size()));
    return piece.finish();
  }

  Communicator& communicator_;
  const RoundsRequest& request_;
  std::vector<std::string> files_;
  std::vector<std::unique_ptr<BlockParser>> parsers_;  // by file
  std::vector<Index> lines_;                           // by file, header included
  std::optional<ImportPieces> pieces_;
  RowBlock block_;
  bool is_over_ = false;
};

/// Everything else: all ranks read all rows and keep their pieces.
class SinkRounds final : public RowSink {
 public:
  static constexpr Index kPieceRows = 4096;

  SinkRounds(Communicator& communicator, const RoundsRequest& request, const std::vector<std::string>& files,
             const UseRows& use)
      : communicator_(communicator), request_(request), files_(files), use_(use) {}

  void begin(const RowSchema& schema) override {
    schema_ = schema;
    schema_.rows = -1;
  }
  Index unlabelled_features() const override {
    return request_.needs_labels ? -1 : request_.schema.columns();
  }
  bool wants_next() const override { return row_ / kPieceRows == communicator_.rank(); }
  void skip() override { step(); }
  void add(const Row& row) override {
    try {
      if (wants_next() && !error_) keep(row);
    } catch (...) {
      error_ = std::current_exception();  // told at the end of the round
    }
    step();
  }

  // Every piece is told the same texts in the same order, so that all give them the same codes.
  std::int32_t category(Index feature, std::int32_t, const std::string& text) override {
    dictionaries_.resize(static_cast<std::size_t>(schema_.features));
    Dictionary& dictionary = dictionaries_[static_cast<std::size_t>(feature)];
    const std::size_t known = dictionary.texts().size();
    const std::int32_t code = dictionary.code_of(text);
    if (dictionary.texts().size() == known) return code;
    categories_.emplace_back(feature, text);
    if (piece_ != nullptr) piece_->sink().category(feature, code, text);
    return code;
  }
  // All ranks are told of the same rows: the first one counts them.
  void skip_bad(Index count, const std::vector<std::string>& named) override {
    if (communicator_.rank() != 0) return;
    for (const std::string& text : named) bad_.add(text);
    bad_.add_unnamed(count - static_cast<Index>(named.size()));
  }

  void flush() {
    std::optional<Dataset> rows;
    try {
      if (!error_ && piece_ != nullptr) rows = piece_->finish();
    } catch (...) {
      error_ = std::current_exception();
    }
    throw_first(communicator_, error_);
    use_(rows ? &*rows : nullptr, bad_);
    bad_ = {};
    piece_.reset();
    row_ = 0;
  }

 private:
  void keep(const Row& row) {
    if (piece_ == nullptr) {
      piece_ = std::make_unique<PieceRows>(request_, files_, bad_);
      piece_->sink().begin(schema_);
      for (const auto& [feature, text] : categories_) piece_->sink().category(feature, 0, text);
    }
    piece_->sink().add(row);
  }
  void step() {
    if (++row_ == kPieceRows * communicator_.size()) flush();
  }

  Communicator& communicator_;
  const RoundsRequest& request_;
  const std::vector<std::string>& files_;
  const UseRows& use_;
  RowSchema schema_;
  std::vector<Dictionary> dictionaries_;                   // by column
  std::vector<std::pair<Index, std::string>> categories_;  // in the order in which they came
  Index row_ = 0;                                          // of the round
  BadRows bad_;
  std::unique_ptr<PieceRows> piece_;
  std::exception_ptr error_;
};

// Collective. `files`: what names rows.
void read_rounds(Communicator& communicator, const RoundsRequest& request, const UseRows& use,
                 std::vector<std::string>& files) {
  std::unique_ptr<Format> format;
  std::optional<TextRounds> text;
  Options options = options_for(request.schema, request.options);
  bool is_text = false;
  on_all_ranks(communicator, [&] {
    files = source_files(request.source);
    if (!request.needs_labels)
      options.set("data.on_bad_row", std::string("refuse"), "default");  // every row has its prediction
    format = format_of(files[0], options, request.formats).create(options);
    text.emplace(communicator, request, files);
    is_text = text->open(*format);
    files = named_files(files);
  });
  if (is_text) return text->run(use);
  SinkRounds sink(communicator, request, files, use);
  std::exception_ptr error;
  try {
    read_source(request.source, options, request.formats, sink);
  } catch (const AgreedError&) {
    throw;
  } catch (...) {
    error = std::current_exception();
  }
  throw_first(communicator, error);
  sink.flush();
}

// "file:line: ..."
bool names_row(std::string_view message, const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(), [&](const std::string& file) {
    const std::string_view rest = message.substr(std::min(file.size() + 1, message.size()));
    return message.starts_with(file + ":") && !rest.empty() && rest[0] >= '0' && rest[0] <= '9';
  });
}

}  // namespace

void for_each_round(Communicator& communicator, const RoundsRequest& request, const UseRows& use) {
  std::vector<std::string> files;
  try {
    read_rounds(communicator, request, use, files);
  } catch (const AgreedError& error) {
    const bool is_told_to_skip = !request.needs_labels && request.options.text("data.on_bad_row") == "skip";
    if (!is_told_to_skip || error.code() != ExitCode::kData || !names_row(error.what(), files)) throw;
    throw AgreedError(error.code(),
                      std::string(error.what()) +
                          " (every row gets its prediction, so data.on_bad_row = \"skip\" does not apply)");
  }
}

}  // namespace lockstep
