// SPDX-License-Identifier: Apache-2.0
#include "data/import_files.h"

#include "data/byte_source.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

std::string header_of(const std::string& path, Index bytes) {
  std::string text(static_cast<std::size_t>(bytes), 0);
  ByteSource(path).read(text.data(), text.size());
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace

ImportFiles::ImportFiles(const Format& format, const std::vector<std::string>& files,
                         Index unlabelled_features) {
  const std::unique_ptr<Format> of_all = format.for_files(files, unlabelled_features);
  const Format& used = of_all != nullptr ? *of_all : format;
  int number = 0;
  for (const std::string& file : files) open(file, number++, used.parser(file, unlabelled_features));
  if (parser_ == nullptr) parser_ = used.parser(files[0], unlabelled_features);
}

void ImportFiles::open(const std::string& file, int number, std::unique_ptr<BlockParser> parser) {
  if (!parser->has_lines()) return;
  const std::string header = header_of(file, parser->first_byte());
  const Index features = parser->schema().features;
  starts_.push_back({file, parser->first_byte(), parser_ == nullptr ? parser.get() : parser_.get()});
  lines_before_.push_back(parser->first_line() - 1);
  numbers_.push_back(number);
  if (parser_ == nullptr) {
    header_ = header;
    parser_ = std::move(parser);
    return;
  }
  if (header != header_)
    throw Error(ExitCode::kData, file + ": its first line is not that of " + starts_[0].path);
  if (features != parser_->schema().features)
    throw Error(ExitCode::kData, file + ": has " + std::to_string(features) + " features, " +
                                     starts_[0].path + " has " + std::to_string(parser_->schema().features));
  if (parser->schema().is_category == parser_->schema().is_category) return;
  for (Index j = 0; j < features; ++j)
    if (parser->schema().has_categories(j) != parser_->schema().has_categories(j))
      throw Error(ExitCode::kData, file + ": column " + parser->schema().column_name(j) +
                                       " holds words in only one of this file and " + starts_[0].path +
                                       " (name the columns of words by data.category_columns)");
}

}  // namespace lockstep
