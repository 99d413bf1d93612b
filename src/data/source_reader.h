// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "data/cache_file.h"
#include "data/dataset_builder.h"
#include "data/load.h"
#include "data/memory_limit.h"
#include "data/row_filter.h"
#include "lockstep/data/format.h"

namespace lockstep {

/// Where the rows of a source go.
struct RowTargets {
  DatasetBuilder& train;
  DatasetBuilder* valid = nullptr;  ///< null if the filter splits nothing
  const RowFilter& filter;
  LabelTable& labels;              ///< of both
  Index unlabelled_features = -1;  ///< see RowSink; else every row must have a label

  void name_files(const std::vector<std::string>& files) const {
    train.name_files(files);
    if (valid != nullptr) valid->name_files(files);
  }
  Index kept_bytes() const { return train.kept_bytes() + (valid == nullptr ? 0 : valid->kept_bytes()); }
};

/// The format of a file, by data.format or its first bytes.
const FormatRow& format_of(const std::string& file, const Options& options,
                           const Registry<FormatRow>& formats);

/// The files that the lines of their rows are numbered by (kFileShift): in the place of a cache file stand
/// those that it was made of.
std::vector<std::string> named_files(const std::vector<std::string>& files);

/// Passes all rows of a source to `sink`, those of several files as if they were one.
void read_source(const std::string& source, const Options& options, const Registry<FormatRow>& formats,
                 RowSink& sink);

/// Brings the rows of a source to where they belong: from a cache file, which may be made first, or through
/// its format.
class SourceReader {
 public:
  SourceReader(const Options& options, const Registry<FormatRow>& formats, const LoadPlan& plan,
               MemoryLimit& limit)
      : options_(options), formats_(formats), plan_(plan), limit_(limit) {}

  /// Collective, if the plan has a communicator. Returns the hash of the rows. `labels_key` is the option
  /// that names the labels file; empty: data.labels.
  std::string read(const std::string& source, const std::string& labels_key, bool is_training,
                   const RowTargets& targets) const;

 private:
  bool skips_bad_rows() const { return options_.text("data.on_bad_row") == "skip"; }
  std::unique_ptr<Format> make_format(const FormatRow& row, const std::string& labels_key) const;
  std::string read_cache(const std::shared_ptr<const CacheFile>& file, bool is_training,
                         const RowTargets& targets) const;
  void stream(const std::shared_ptr<const CacheFile>& file, bool is_training,
              const RowTargets& targets) const;
  std::string read_files(const std::string& source, const std::vector<std::string>& files,
                         const Format& format, const RowTargets& targets) const;

  const Options& options_;
  const Registry<FormatRow>& formats_;
  const LoadPlan& plan_;
  MemoryLimit& limit_;
};

}  // namespace lockstep
