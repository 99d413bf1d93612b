// SPDX-License-Identifier: Apache-2.0
#include "data/cache_source.h"

#include "comm/agreement.h"
#include "data/block_parser.h"
#include "data/cache_place.h"
#include "data/import_text.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// Collective. The place that rank 0 finds; none if there shall be no cache.
CachePlace find_place(Communicator& communicator, const CacheRequest& request) {
  CachePlace place;
  on_all_ranks(communicator, [&] {
    if (communicator.rank() != 0 || !wants_cache(request.files, request.options, request.directory)) return;
    if (request.format.parser(request.files[0], -1) == nullptr) return;
    place = cache_place(request.files, request.format_name, -1, request.options, request.directory);
  });
  place.path = all_gather(communicator, place.path.string())[0];
  place.identity = all_gather(communicator, place.identity)[0];
  return place;
}

// Collective. Null unless all ranks see the file, and it is what is looked for.
std::unique_ptr<CacheFile> open_file(Communicator& communicator, const CachePlace& place,
                                     std::string& why_not) {
  std::unique_ptr<CacheFile> file;
  std::string problem;
  try {
    if (std::filesystem::exists(place.path)) file = std::make_unique<CacheFile>(place.path);
    if (file == nullptr) problem = place.path.string() + ": is not seen by all ranks";
    if (file != nullptr && file->metadata().identity != place.identity)
      problem = place.path.string() + ": is stale";
  } catch (const std::exception& error) {
    problem = error.what();
  }
  for (const std::string& other : all_gather(communicator, problem)) {
    if (other.empty()) continue;
    why_not = other;
    return nullptr;
  }
  return file;
}

bool refuses_bad_rows(const Options& options) {
  return options.table().find("data.on_bad_row") == nullptr || options.text("data.on_bad_row") == "refuse";
}

// Collective.
void require_unchanged(Communicator& communicator, const CacheRequest& request, const CachePlace& place) {
  on_all_ranks(communicator, [&] {
    if (communicator.rank() != 0) return;
    const CachePlace now =
        cache_place(request.files, request.format_name, -1, request.options, request.directory);
    if (now.identity == place.identity) return;
    std::filesystem::remove(place.path);
    throw Error(ExitCode::kData, request.source + ": changed while it was read");
  });
}

}  // namespace

std::unique_ptr<CacheFile> open_cache(Communicator& communicator, const CacheRequest& request,
                                      std::string& why_not) {
  const CachePlace place = find_place(communicator, request);
  if (place.path.empty()) return nullptr;
  if (auto file = open_file(communicator, place, why_not)) return file;
  why_not.clear();
  ImportRequest import{request.format, request.source, request.files, place.identity};
  import.piece_bytes = request.piece_bytes;
  import.refuses_bad_rows = refuses_bad_rows(request.options);
  try {
    import_text(communicator, import, place.path);
  } catch (const AgreedError& error) {
    if (error.code() != ExitCode::kOutput) throw;
    why_not = std::string(error.what()) + "; rows are read from their source";
    return nullptr;
  }
  require_unchanged(communicator, request, place);
  auto file = open_file(communicator, place, why_not);
  if (file == nullptr) why_not += "; rows are read from their source";
  return file;
}

}  // namespace lockstep
