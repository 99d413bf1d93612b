// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/cache_layout.h"
#include "lockstep/comm/communicator.h"
#include "lockstep/data/format.h"

namespace lockstep {

/// What is read into a cache file.
struct ImportRequest {
  const Format& format;
  std::string source;              ///< as the user named it
  std::vector<std::string> files;  ///< that it means
  std::string identity;            ///< see CacheMetadata
  Index unlabelled_features = -1;  ///< see RowSink
  bool refuses_bad_rows = true;    ///< else they were skipped and are counted
  std::optional<CacheKind> kind;   ///< of dense rows; none: bytes stay bytes, all else is float32
  std::size_t piece_bytes = 0;     ///< 0: as many as are good
};

/// Collective. Parses text, or what else its format cuts into pieces, by all ranks of the first machine, in
/// rounds of a piece for each, and writes the rows to a cache file at `path` in the order of the files. Codes
/// of texts count from 0 in order of first appearance there, so the file is the same for any number of ranks.
/// Throws AgreedError: kData "file:line:column: what" for the first bad line of the lowest piece, kOutput
/// where the cache file cannot be written.
void import_text(Communicator& communicator, const ImportRequest& request, const std::filesystem::path& path);

}  // namespace lockstep
