// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/core/view.h"

namespace [[gnu::visibility("default")]] lockstep {

/// How the features of sparse rows were hashed into a table, if they were.
struct HashedFeatures {
  int bits = 0;  ///< of the table, which has 2^bits slots; 0: they were not hashed; −1: not known
  std::uint64_t seed = 0;
  Index columns = 0;               ///< of the source, without label and weight; 0: it has index:value pairs
  std::vector<std::string> names;  ///< of the columns; empty: none

  bool operator==(const HashedFeatures&) const = default;
};

/// What a source says about its rows before the first one.
struct RowSchema {
  bool is_sparse = false;
  bool is_bytes = false;  ///< dense features are bytes 0 … 255
  Index features = 0;     ///< D; sparse: 0 if known only after the last row, else columns count from 0
  Index rows = -1;        ///< N where the source knows it, else −1
  bool has_weights = false;
  std::vector<std::string> feature_names;  ///< empty: none
  std::vector<bool> is_category;           ///< per feature, whether it holds codes of texts; empty: none does
  HashedFeatures hashed;
  std::vector<std::string> classes;   ///< where the source knows them; labels are then class numbers
  std::vector<std::string> warnings;  ///< for the user, whole sentences

  bool has_categories(Index feature) const {
    return !is_category.empty() && is_category[static_cast<std::size_t>(feature)];
  }
  /// For messages: its name in quotes, or its number from 0.
  std::string column_name(Index feature) const {
    return feature_names.empty() ? std::to_string(feature)
                                 : "\"" + feature_names[static_cast<std::size_t>(feature)] + "\"";
  }
};

/// A label as it stands in the file.
struct Label {
  bool is_number = true;
  double number = 0;
  std::string_view text;  ///< as written, where it is no number; valid during the call
  Index column = 0;       ///< where it stands in its line, from 1; 0: unknown
};

/// One row on its way into a data set. Exactly one of dense, bytes, columns is set.
struct Row {
  Index line = 0;  ///< in the file, from 1; binary formats: row number + 1
  Label label;
  float weight = 1;
  const float* dense = nullptr;            ///< D
  const std::uint8_t* bytes = nullptr;     ///< D
  const std::uint32_t* columns = nullptr;  ///< `count`, ascending, base as in the file
  const float* values = nullptr;           ///< `count`
  Index count = 0;
};

/// Takes the rows of a source in file order.
class RowSink {
 public:
  virtual ~RowSink() = default;

  virtual void begin(const RowSchema& schema) = 0;
  /// Rows without a label are taken (predict); those of exactly this many features have none. −1: every row
  /// must have one.
  virtual Index unlabelled_features() const { return -1; }
  /// Whether this rank keeps the next row. Sources that make rows up skip() the others; sources that read a
  /// file check and pass every row, so that all ranks find the same mistakes.
  virtual bool wants_next() const = 0;
  virtual void skip() = 0;
  virtual void add(const Row& row) = 0;

  /// The code that stands for a text in a feature of categories, in the rows that follow. `code` is the
  /// source's own, in order of first appearance.
  virtual std::int32_t category(Index feature, std::int32_t code, const std::string& text) {
    (void)feature, (void)text;
    return code;
  }
  /// So many rows were wrong and were skipped. `named`: the first of them, "file:line:column: what".
  virtual void skip_bad(Index count, const std::vector<std::string>& named) { (void)count, (void)named; }
};

}  // namespace lockstep
