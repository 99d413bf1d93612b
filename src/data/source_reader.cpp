// SPDX-License-Identifier: Apache-2.0
#include "data/source_reader.h"

#include <array>
#include <limits>
#include <new>
#include <stdexcept>

#include "comm/agreement.h"
#include "data/byte_source.h"
#include "data/cache_load.h"
#include "data/cache_options.h"
#include "data/cache_source.h"
#include "data/forwarding_sink.h"
#include "data/row_router.h"
#include "data/source_files.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

bool is_demo(const std::string& source) {
  return source.starts_with("demo:");
}

/// The rows of several files as those of one.
class ListSink final : public ForwardingSink {
 public:
  using ForwardingSink::ForwardingSink;

  void begin_file(const std::string& path) {
    path_ = path;
    base_ = next_base_;
    next_base_ += static_cast<Index>(named_files({path}).size());
  }
  void begin(const RowSchema& schema) override {
    if (!has_begun_) {
      has_begun_ = true;
      first_ = schema;
      RowSchema whole = schema;
      whole.rows = -1;
      return ForwardingSink::begin(whole);
    }
    const bool is_like_first = schema.is_sparse == first_.is_sparse && schema.is_bytes == first_.is_bytes &&
                               schema.features == first_.features &&
                               schema.has_weights == first_.has_weights &&
                               schema.feature_names == first_.feature_names &&
                               schema.hashed == first_.hashed && schema.classes == first_.classes;
    if (!is_like_first) throw Error(ExitCode::kData, path_ + ": its columns are not those of the first file");
    check_categories(schema);
  }
  void add(const Row& row) override {
    Row numbered = row;
    numbered.line += base_ << kFileShift;
    ForwardingSink::add(numbered);
  }

 private:
  // Codes of texts would be taken for numbers, or numbers for codes.
  void check_categories(const RowSchema& schema) const {
    if (first_.is_category == schema.is_category) return;
    for (Index j = 0; j < schema.features; ++j)
      if (first_.has_categories(j) != schema.has_categories(j))
        throw Error(ExitCode::kData,
                    path_ + ": column " + schema.column_name(j) + " holds " +
                        (first_.has_categories(j) ? "numbers, in the first file it holds words"
                                                  : "words, in the first file it holds numbers") +
                        " (name the columns of words by data.category_columns)");
  }

  std::string path_;
  RowSchema first_;
  bool has_begun_ = false;
  Index base_ = 0, next_base_ = 0;  // among the files that rows are named by
};

/// Ends the reading of rows, which are all kept, as soon as they are known not to fit.
class LimitedSink final : public ForwardingSink {
 public:
  LimitedSink(RowSink& sink, const RowTargets& targets, const MemoryLimit& limit, const std::string& source)
      : ForwardingSink(sink), targets_(targets), limit_(limit), source_(source) {}

  void begin(const RowSchema& schema) override {
    const Index row = DatasetBuilder::row_bytes(schema), most = std::numeric_limits<Index>::max();
    const Index bytes = schema.rows > most / row ? most : schema.rows * row;
    if (bytes > limit_.left()) refuse(bytes, "streamed");
    ForwardingSink::begin(schema);
  }
  void add(const Row& row) override {
    ForwardingSink::add(row);
    ++rows_;
    const Index bytes = targets_.kept_bytes();
    if (bytes > limit_.left()) refuse(bytes, "streamed; reading ended with row " + std::to_string(rows_));
  }

 private:
  [[noreturn]] void refuse(Index bytes, const std::string& streamed) const {
    limit_.fail(
        source_, bytes,
        "its rows do not fit into memory, and those of a source without a cache file cannot be " + streamed);
  }

  const RowTargets& targets_;
  const MemoryLimit& limit_;
  const std::string& source_;
  Index rows_ = 0;  // that were added
};

void read_all(const std::vector<std::string>& files, const Format& format, RowSink& router) {
  if (files.size() == 1) return format.read(files[0], router);
  const std::unique_ptr<Format> of_all = format.for_files(files, router.unlabelled_features());
  ListSink sink(router);
  for (const std::string& file : files) {
    sink.begin_file(file);
    (of_all != nullptr ? *of_all : format).read(file, sink);
  }
}

}  // namespace

const FormatRow& format_of(const std::string& file, const Options& options,
                           const Registry<FormatRow>& formats) {
  const std::string& name = options.text("data.format");
  if (is_demo(file)) return formats.find("demo");
  if (name != "auto") return formats.find(name);
  std::array<char, 65536> head{};
  const std::size_t size = ByteSource(file).read(head.data(), head.size());
  if (size == 0) throw Error(ExitCode::kData, file + ": is empty");
  for (const FormatRow& row : formats.rows())
    if (row.matches != nullptr && row.matches(file, {head.data(), size})) return row;
  throw Error(ExitCode::kData, file + ": its format is not recognised, name it by data.format");
}

std::vector<std::string> named_files(const std::vector<std::string>& files) {
  std::vector<std::string> names;
  for (const std::string& file : files) {
    std::vector<std::string> own;
    if (CacheFile::is_one(file)) own = CacheFile(file).metadata().files;
    if (own.empty()) own = {file};
    names.insert(names.end(), own.begin(), own.end());
  }
  return names;
}

void read_source(const std::string& source, const Options& options, const Registry<FormatRow>& formats,
                 RowSink& sink) {
  const std::vector<std::string> files = source_files(source);
  read_all(files, *format_of(files[0], options, formats).create(options), sink);
}

std::unique_ptr<Format> SourceReader::make_format(const FormatRow& row, const std::string& labels_key) const {
  Options options = options_;
  if (!labels_key.empty()) options.set("data.labels", options_.text(labels_key), options_.origin(labels_key));
  return row.create(options);
}

// Has rows that do not fit stay where they are.
void SourceReader::stream(const std::shared_ptr<const CacheFile>& file, bool is_training,
                          const RowTargets& targets) const {
  std::vector<StreamPlan> plans;
  const auto plan = [&] {
    if (limit_.keeps(*file)) return;
    RowPart part;
    if (targets.valid != nullptr)
      part.choice = std::make_shared<const RowChoice>(targets.filter, file->rows());
    plans.push_back(limit_.stream(file, part, is_training));
    if (targets.valid == nullptr) return;
    part.takes_valid = true;
    plans.push_back(limit_.stream(file, part, false));
  };
  plan_.communicator == nullptr ? plan() : on_all_ranks(*plan_.communicator, plan);
  DatasetBuilder* const builders[] = {&targets.train, targets.valid};
  for (std::size_t i = 0; i < plans.size(); ++i) {
    std::vector<std::string> warnings;
    builders[i]->stream(plans[i].open(plan_.communicator, warnings));
    if (i > 0) continue;  // the same again
    for (std::string& warning : warnings) targets.train.warn(std::move(warning));
  }
}

std::string SourceReader::read_cache(const std::shared_ptr<const CacheFile>& shared, bool is_training,
                                     const RowTargets& targets) const {
  const CacheFile& file = *shared;
  const CacheMetadata& metadata = file.metadata();
  stream(shared, is_training, targets);
  targets.name_files(metadata.files);
  BadRows bad;
  const bool has_classes = plan_.task == Task::kClassification && targets.unlabelled_features < 0;
  load_from_cache(file, plan_.communicator,
                  {targets.train, targets.valid, targets.filter, targets.labels, has_classes, plan_.shards,
                   plan_.hosted, skips_bad_rows() && !targets.train.is_streamed() ? &bad : nullptr});
  targets.train.skip_bad(metadata.bad_count, metadata.bad_lines);
  targets.train.skip_bad(bad.count(), bad.named());
  return metadata.content_hash;
}

std::string SourceReader::read_files(const std::string& source, const std::vector<std::string>& files,
                                     const Format& format, const RowTargets& targets) const {
  RowRouter router(targets.train, targets.valid, targets.filter, !is_demo(files[0]));
  if (targets.unlabelled_features >= 0) router.allow_unlabelled(targets.unlabelled_features);
  BadRows bad;
  if (skips_bad_rows()) router.skip_bad_rows(bad);
  targets.name_files(named_files(files));
  LimitedSink limited(router, targets, limit_, source);
  RowSink& sink = limit_.exists() ? static_cast<RowSink&>(limited) : router;
  try {
    read_all(files, format, sink);
  } catch (const std::bad_alloc&) {
    throw Error(ExitCode::kData, files[0] + ": does not fit into the memory of this machine");
  } catch (const std::length_error&) {
    throw Error(ExitCode::kData, files[0] + ": does not fit into the memory of this machine");
  }
  targets.train.skip_bad(bad.count(), bad.named());
  return is_demo(files[0]) ? files[0] : router.hash();
}

std::string SourceReader::read(const std::string& source, const std::string& labels_key, bool is_training,
                               const RowTargets& targets) const {
  std::vector<std::string> files;
  std::unique_ptr<Format> format;
  std::shared_ptr<const CacheFile> cache;
  std::string format_name, hash;
  const auto in_step = [&](const auto& work) {
    plan_.communicator == nullptr ? work() : on_all_ranks(*plan_.communicator, work);
  };
  in_step([&] {
    files = source_files(source);
    if (files.size() == 1 && CacheFile::is_one(files[0])) {
      cache = std::make_shared<CacheFile>(files[0]);
      return check_options(*cache, options_);
    }
    const FormatRow& row = format_of(files[0], options_, formats_);
    format_name = row.name;
    format = make_format(row, labels_key);
  });
  if (cache == nullptr && targets.unlabelled_features < 0) {
    std::string why_not;
    const auto single = plan_.communicator == nullptr ? make_single_communicator() : nullptr;
    cache = open_cache(
        single ? *single : *plan_.communicator,
        {*format, format_name, source, files, options_, plan_.cache_directory, plan_.piece_bytes}, why_not);
    if (!why_not.empty()) targets.train.warn(why_not);
  }
  if (cache != nullptr) return read_cache(cache, is_training, targets);
  in_step([&] { hash = read_files(source, files, *format, targets); });
  if (limit_.exists()) limit_.use(targets.kept_bytes());
  return hash;
}

}  // namespace lockstep
