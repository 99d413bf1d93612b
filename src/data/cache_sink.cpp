// SPDX-License-Identifier: Apache-2.0
#include "data/cache_sink.h"

#include <algorithm>

#include "data/cache_label.h"
#include "data/source_files.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr std::size_t kWriteBytes = std::size_t{4} << 20;

}  // namespace

CacheSink::CacheSink(Settings settings)
    : settings_(std::move(settings)), alone_(make_single_communicator()) {}

void CacheSink::begin(const RowSchema& schema) {
  schema_ = schema;
  CacheHeader header;
  header.kind = schema.is_sparse  ? CacheKind::kSparse
                : settings_.kind  ? *settings_.kind
                : schema.is_bytes ? CacheKind::kBytes
                                  : CacheKind::kFloat32;
  check_kind(header.kind, schema);
  header.features = static_cast<std::uint64_t>(schema.features);
  header.label_bytes = settings_.label_bytes;
  header.has_weights = schema.has_weights ? 1 : 0;
  encoder_.emplace(header);
  writer_.emplace(*alone_, settings_.path, header);
}

double CacheSink::label_of(const Label& label) {
  double value = label.number;
  if (!label.is_number) {
    auto known = codes_.find(label.text);
    if (known == codes_.end()) {
      known = codes_.emplace(std::string(label.text), static_cast<std::uint32_t>(texts_.size())).first;
      texts_.emplace_back(label.text);
    }
    value = text_label(known->second);
  }
  if (settings_.label_bytes == 4 && !is_short_label(value)) throw NeedsLongLabels();
  return value;
}

void CacheSink::add(const Row& row) {
  const double label = label_of(row.label);
  encoder_->add(row, label);
  const auto file = static_cast<int>(row.line >> kFileShift);
  const Index line = row.line & ((Index{1} << kFileShift) - 1);
  notes_.add_row(schema_, {row_, file, line}, encoder_->stored(row), label);
  ++row_;
  if (encoder_->records().size() + encoder_->entries().size() >= kWriteBytes) write();
}

std::int32_t CacheSink::category(Index feature, std::int32_t, const std::string& text) {
  categories_.resize(static_cast<std::size_t>(schema_.features));
  std::vector<std::string>& texts = categories_[static_cast<std::size_t>(feature)];
  const auto known = std::find(texts.begin(), texts.end(), text);
  const auto code = static_cast<std::int32_t>(known - texts.begin());
  if (known == texts.end()) texts.push_back(text);
  return code;
}

void CacheSink::skip_bad(Index count, const std::vector<std::string>& named) {
  for (const std::string& text : named) bad_.add(text);
  bad_.add_unnamed(count - static_cast<Index>(named.size()));
}

void CacheSink::write() {
  writer_->write_rows(first_, encoder_->records());
  if (schema_.is_sparse) writer_->write_entries(first_entry_, encoder_->entries());
  first_ = row_;
  first_entry_ = encoder_->next_entry();
  encoder_->clear(first_entry_);
  writer_->advance(first_, first_entry_);
}

void CacheSink::finish() {
  if (!writer_) throw Error(ExitCode::kData, settings_.source + ": has no rows");
  write();
  CacheMetadata metadata;
  metadata.source = settings_.source;
  metadata.files = settings_.files.empty() ? std::vector{settings_.source} : settings_.files;
  metadata.feature_names = schema_.feature_names;
  metadata.classes = schema_.classes;
  metadata.label_texts = texts_;
  metadata.categories = categories_;
  metadata.warnings = schema_.warnings;
  metadata.bad_count = bad_.count();
  metadata.bad_lines = bad_.named();
  notes_.gather(*alone_, metadata);
  writer_->finish(row_, first_entry_, metadata);
}

void write_cache(CacheSink::Settings settings, const std::function<void(CacheSink&)>& read) {
  for (const std::uint32_t label_bytes : {4U, 8U}) {
    settings.label_bytes = label_bytes;
    try {
      CacheSink sink(settings);
      read(sink);
      return sink.finish();
    } catch (const CacheSink::NeedsLongLabels&) {
    }
  }
}

}  // namespace lockstep
