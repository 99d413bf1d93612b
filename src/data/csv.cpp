// SPDX-License-Identifier: Apache-2.0
#include "data/csv.h"

#include "data/csv_categories.h"
#include "data/csv_parser.h"
#include "data/read_blocks.h"
#include "lockstep/core/error.h"

namespace lockstep {

CsvFormat::CsvFormat(const Options& options)
    : settings_{options.text("data.label"), options.text("data.weight"), options.text("data.header")} {
  const std::string& delimiter = options.text("data.delimiter");
  if (delimiter == "tab")
    settings_.delimiter = '\t';
  else if (delimiter != "auto")
    settings_.delimiter = delimiter[0];
  const std::string &categories = options.text("data.categories"), &missing = options.text("data.missing");
  settings_.skips_bad_rows = options.text("data.on_bad_row") == "skip";
  settings_.takes_missing = missing != "refuse";
  settings_.marks_missing = missing == "indicator";
  settings_.hashes = categories == "hash";
  settings_.takes_categories = categories != "refuse" && !settings_.hashes;
  settings_.category_columns = options.text("data.category_columns");
  settings_.hash = FeatureHash(options);
  check(options);
}

void CsvFormat::check(const Options& options) const {
  const auto fail = [&](const std::string& key, const std::string& what) {
    throw Error(ExitCode::kConfig,
                options.origin(key) + ": " + key + " = \"" + options.text(key) + "\" " + what);
  };
  if (settings_.hashes && !settings_.hash.is_on())
    fail("data.categories", "needs data.hash_bits, the number of features being 2 to the power of it");
  if (settings_.hashes && options.text("data.missing") == "mean")
    fail("data.missing", "is of columns, and data.categories = \"hash\" leaves none: take zero or indicator");
  const bool names_columns = !settings_.category_columns.empty() && settings_.category_columns != "none";
  if (names_columns && options.text("data.categories") == "refuse")
    fail("data.category_columns", "needs data.categories: onehot, embed or hash");
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

std::unique_ptr<Format> CsvFormat::for_files(const std::vector<std::string>& files,
                                             Index unlabelled_features) const {
  if (files.size() < 2 || !settings_.takes_categories || !settings_.category_columns.empty()) return nullptr;
  std::vector<bool> is_category;
  for (const std::string& file : files) {
    const std::vector<bool> found = parser(file, unlabelled_features)->schema().is_category;
    if (is_category.size() < found.size()) is_category.resize(found.size());
    for (std::size_t j = 0; j < found.size(); ++j)
      if (found[j]) is_category[j] = true;
  }
  auto format = std::make_unique<CsvFormat>(*this);
  format->settings_.category_columns = category_list(is_category);
  return format;
}

}  // namespace lockstep
