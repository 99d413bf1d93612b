// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/feature_hash.h"
#include "lockstep/data/format.h"

namespace lockstep {

/// Text with one row per line and one field per column, separated by comma, semicolon or tab
/// (data.delimiter). The first line is a header if data.header says so or if its features are words. The
/// label column is data.label (name, or number from 0, from the end if negative); else the one called label,
/// class or target; else the last. data.weight names the column of row weights. Fields may be quoted; empty
/// lines are passed over. Columns may hold categories (data.categories) and lack values (data.missing).
class CsvFormat final : public Format {
 public:
  explicit CsvFormat(const Options& options);
  void read(const std::string& source, RowSink& sink) const override;
  std::unique_ptr<BlockParser> parser(const std::string& source, Index unlabelled_features) const override;
  /// A column holds categories in all files if it does in one of them.
  std::unique_ptr<Format> for_files(const std::vector<std::string>& files,
                                    Index unlabelled_features) const override;
  static bool matches(std::string_view source, std::string_view head);

  struct Settings {
    std::string label;
    std::string weight;
    std::string header;
    char delimiter = 0;  ///< 0: found from the first line
    bool skips_bad_rows = false;
    bool takes_missing = false;
    bool marks_missing = false;     ///< hashed columns: by a feature "<column> is missing"
    bool takes_categories = false;  ///< as codes
    bool hashes = false;            ///< columns and categories, into sparse rows
    std::string category_columns;
    FeatureHash hash;
  };

 private:
  void check(const Options& options) const;

  Settings settings_;
};

}  // namespace lockstep
