// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lockstep/core/options.h"
#include "lockstep/data/row_sink.h"

namespace [[gnu::visibility("default")]] lockstep {

class BlockParser;

/// Reads one kind of source.
class Format {
 public:
  virtual ~Format() = default;

  /// Passes all rows of `source` (a path, or "demo:name?key=value") to `sink`. Throws Error(kData) with
  /// "file:line:column: what is wrong, what was expected" for the first bad row.
  virtual void read(const std::string& source, RowSink& sink) const = 0;

  /// For sources that can be cut, as text at line ends: what parses pieces of `source`. Null for all else.
  /// `unlabelled_features`: see RowSink.
  virtual std::unique_ptr<BlockParser> parser(const std::string& source, Index unlabelled_features) const;

  /// For several files that are read as one, where what is found in the first lines of a file must hold for
  /// all of them: a format that knows it. Null: this one will do.
  virtual std::unique_ptr<Format> for_files(const std::vector<std::string>& files,
                                            Index unlabelled_features) const;
};

/// One row of src/data/registry.cpp.
struct FormatRow {
  std::string name;
  std::string summary;
  void (*declare)(OptionTable&) = nullptr;
  std::unique_ptr<Format> (*create)(const Options&) = nullptr;
  /// Whether a source looks like this format: its name, and its first (inflated) bytes.
  bool (*matches)(std::string_view source, std::string_view head) = nullptr;
};

}  // namespace lockstep
