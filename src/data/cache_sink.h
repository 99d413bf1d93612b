// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/bad_rows.h"
#include "data/cache_writer.h"
#include "data/import_notes.h"
#include "data/row_encoder.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// Writes the rows of any source to a cache file, by this process alone.
class CacheSink final : public RowSink {
 public:
  struct Settings {
    std::filesystem::path path;
    std::string source;             ///< for the metadata
    std::optional<CacheKind> kind;  ///< of dense rows; none: bytes stay bytes, all else is float32
    std::uint32_t label_bytes = 4;
    std::vector<std::string> files = {};  ///< that it means; empty: the source is one
  };
  /// Thrown by add() for a label that label_bytes = 4 cannot hold.
  struct NeedsLongLabels {};

  explicit CacheSink(Settings settings);

  void begin(const RowSchema& schema) override;
  bool wants_next() const override { return true; }
  void skip() override {}
  void add(const Row& row) override;
  std::int32_t category(Index feature, std::int32_t code, const std::string& text) override;
  void skip_bad(Index count, const std::vector<std::string>& named) override;
  /// The file appears. Throws Error(kData) if no source had begin() called.
  void finish();
  Index rows() const { return row_; }

 private:
  double label_of(const Label& label);
  void write();

  Settings settings_;
  std::unique_ptr<Communicator> alone_;
  RowSchema schema_;
  std::optional<CacheWriter> writer_;
  std::optional<RowEncoder> encoder_;
  ImportNotes notes_;
  std::map<std::string, std::uint32_t, std::less<>> codes_;
  std::vector<std::string> texts_;
  std::vector<std::vector<std::string>> categories_;  // by feature, in the order of their codes
  BadRows bad_;
  Index row_ = 0;
  Index first_ = 0;                // of the rows in the encoder
  std::uint64_t first_entry_ = 0;  // of theirs
};

/// Calls `read` with a sink for the file `settings` names, anew with long labels if need be.
void write_cache(CacheSink::Settings settings, const std::function<void(CacheSink&)>& read);

}  // namespace lockstep
