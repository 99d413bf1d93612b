// SPDX-License-Identifier: Apache-2.0
#include "data/import_notes.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "data/cache_label.h"
#include "data/row_block.h"
#include "data/source_files.h"

namespace lockstep {

namespace {

constexpr std::size_t kMostLabels = 65536;

template <class Value>
std::vector<Value> gather_all(Communicator& communicator, const std::vector<Value>& mine) {
  const std::string bytes(reinterpret_cast<const char*>(mine.data()), mine.size() * sizeof(Value));
  std::vector<Value> all;
  for (const std::string& part : all_gather(communicator, bytes)) {
    const std::size_t before = all.size();
    all.resize(before + part.size() / sizeof(Value));
    if (!part.empty()) std::memcpy(static_cast<void*>(all.data() + before), part.data(), part.size());
  }
  return all;
}

bool continues(const LineRun& run, const LineRun& next) {
  return run.file == next.file && run.line + (next.row - run.row) == next.line;
}

}  // namespace

void ImportNotes::add_row(const RowSchema& schema, const LineRun& place, const Row& row, double label) {
  if (next_row_ != place.row || !continues(runs_.back(), place)) runs_.push_back(place);
  next_row_ = place.row + 1;
  count_label(label);
  if (row.dense != nullptr) note_missing(place.row, row.dense, static_cast<std::size_t>(schema.features));
  hash_.add(schema, place.row, row);
}

// Rows of a rank come in their order.
void ImportNotes::note_missing(Index number, const float* features, std::size_t width) {
  if (missing_.row >= 0) return;
  bool is_missing = false;
  for (std::size_t j = 0; j < width; ++j) is_missing |= std::isnan(features[j]);
  if (!is_missing) return;
  const auto* const first = std::find_if(features, features + width, [](float x) { return std::isnan(x); });
  missing_ = {number, first - features};
}

void ImportNotes::count_label(double label) {
  if (label >= 0 && label < 256 && label == static_cast<double>(static_cast<int>(label))) {
    ++small_labels_[static_cast<std::size_t>(label)];
  } else if (std::isnan(label)) {
    const std::size_t code = label_code(label);
    if (text_labels_.size() <= code) text_labels_.resize(code + 1);
    ++text_labels_[code];
  } else if (labels_.size() <= kMostLabels) {
    ++labels_[label];
  }
}

void ImportNotes::add_bad_line(int file, Index line, std::string text) {
  if (bad_lines_.size() < RowBlock::kNamedBadLines)
    bad_lines_.emplace_back((static_cast<Index>(file) << kFileShift) + line, std::move(text));
}

void ImportNotes::gather(Communicator& communicator, CacheMetadata& metadata) const {
  gather_lines(communicator, metadata);
  gather_labels(communicator, metadata);
  gather_bad_lines(communicator, metadata);
  metadata.missing = MissingValue();
  for (const MissingValue& first : gather_all(communicator, std::vector<MissingValue>{missing_}))
    if (first.row >= 0 && (metadata.missing->row < 0 || first.row < metadata.missing->row))
      metadata.missing = first;
  RowHash sum;
  for (const RowHash& part : gather_all(communicator, std::vector<RowHash>{hash_})) sum.add(part);
  metadata.content_hash = sum.hex();
}

void ImportNotes::gather_lines(Communicator& communicator, CacheMetadata& metadata) const {
  std::vector<LineRun> runs = gather_all(communicator, runs_);
  std::sort(runs.begin(), runs.end(), [](const LineRun& a, const LineRun& b) { return a.row < b.row; });
  for (const LineRun& run : runs)
    if (metadata.lines.empty() || !continues(metadata.lines.back(), run)) metadata.lines.push_back(run);
}

void ImportNotes::gather_labels(Communicator& communicator, CacheMetadata& metadata) const {
  std::vector<std::pair<double, Index>> mine(labels_.begin(), labels_.end());
  for (std::size_t i = 0; i < small_labels_.size(); ++i)
    if (small_labels_[i] > 0) mine.emplace_back(static_cast<double>(i), small_labels_[i]);
  std::map<double, Index> all;
  for (const auto& [label, count] : gather_all(communicator, mine)) all[label] += count;
  std::vector<Index> texts = text_labels_;
  texts.resize(metadata.label_texts.size());
  metadata.label_text_counts.assign(texts.size(), 0);
  const std::vector<Index> everyones = gather_all(communicator, texts);
  for (std::size_t i = 0; i < everyones.size(); ++i)
    metadata.label_text_counts[i % texts.size()] += everyones[i];
  metadata.has_label_values = all.size() + texts.size() <= kMostLabels;
  if (!metadata.has_label_values) return;
  for (const auto& [label, count] : all) {
    metadata.label_numbers.push_back(label);
    metadata.label_counts.push_back(count);
  }
}

void ImportNotes::gather_bad_lines(Communicator& communicator, CacheMetadata& metadata) const {
  std::string mine;
  for (const auto& [line, text] : bad_lines_) {
    mine.append(reinterpret_cast<const char*>(&line), sizeof line);
    mine += text + '\n';
  }
  std::vector<std::pair<Index, std::string>> all;
  for (const std::string& part : all_gather(communicator, mine))
    for (std::size_t at = 0; at < part.size();) {
      auto& [line, text] = all.emplace_back();
      std::memcpy(&line, part.data() + at, sizeof line);
      at += sizeof line;
      text = part.substr(at, part.find('\n', at) - at);
      at += text.size() + 1;
    }
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < std::min(all.size(), RowBlock::kNamedBadLines); ++i)
    metadata.bad_lines.push_back(all[i].second);
}

}  // namespace lockstep
