// SPDX-License-Identifier: Apache-2.0
#include "cli/data_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "core/printable.h"
#include "data/cache_file.h"
#include "data/cache_rows.h"
#include "data/cache_verify.h"
#include "data/row_text.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

const char* kind_text(CacheKind kind) {
  switch (kind) {
    case CacheKind::kFloat32:
      return "dense float32";
    case CacheKind::kFloat16:
      return "dense float16";
    case CacheKind::kBytes:
      return "dense bytes";
    case CacheKind::kSparse:
      break;
  }
  return "sparse";
}

template <class Value>
void print_fact(const char* name, const Value& value) {
  fmt::print("{:<16} {}\n", name, value);
}

void print_categories(const CacheMetadata& metadata) {
  for (std::size_t j = 0; j < metadata.categories.size(); ++j) {
    if (metadata.categories[j].empty()) continue;
    const std::string name =
        metadata.feature_names.empty() ? fmt::format("feature {}", j + 1) : metadata.feature_names[j];
    print_fact("categories", fmt::format("{}: {}", printable(name), metadata.categories[j].size()));
  }
}

int inspect(const CommandContext& context) {
  const CacheFile file(context.line.positional()[0]);
  const CacheHeader& header = file.header();
  const CacheMetadata& metadata = file.metadata();
  print_fact("source", metadata.source);
  print_fact("rows", header.rows);
  print_fact("features", header.features == 0 ? "as the columns say" : std::to_string(header.features));
  print_fact("kind", kind_text(header.kind));
  if (header.kind == CacheKind::kSparse) print_fact("entries", header.entries);
  print_fact("labels", fmt::format("float{}", 8 * header.label_bytes));
  if (metadata.has_label_values)
    print_fact("label values", metadata.label_numbers.size() + metadata.label_texts.size());
  print_fact("weights", header.has_weights != 0 ? "yes" : "no");
  print_categories(metadata);
  if (metadata.bad_count > 0) print_fact("skipped lines", metadata.bad_count);
  print_fact("bytes", std::filesystem::file_size(file.path()));
  print_fact("content hash", metadata.content_hash);
  for (const std::string& name : metadata.files) print_fact("file", name);
  for (const std::string& line : metadata.bad_lines) print_fact("skipped", line);
  return 0;
}

int verify(const CommandContext& context) {
  int code = 0;
  for (const std::string& path : context.line.positional()) {
    try {
      verify_cache(CacheFile(path));
      fmt::print("{}: ok\n", path);
    } catch (const Error& error) {
      fmt::print(stderr, "{}\n", printable(error.what()));
      code = static_cast<int>(error.code());
    }
  }
  return code;
}

int head(const CommandContext& context) {
  const CacheFile file(context.line.positional()[0]);
  RowText text(file.rows(),
               [](const std::string& line) { std::fwrite(line.data(), 1, line.size(), stdout); });
  text.begin(file.schema());
  const auto& categories = file.metadata().categories;
  for (std::size_t j = 0; j < categories.size(); ++j)
    for (std::size_t code = 0; code < categories[j].size(); ++code)
      text.category(static_cast<Index>(j), static_cast<std::int32_t>(code), categories[j][code]);
  CacheRows rows(file);
  Row row;
  const Index count = std::min<Index>(context.line.integer("rows", 10, 0), file.rows());
  while (rows.number() < count) {
    rows.next(row);
    text.add(row);
  }
  return 0;
}

constexpr std::size_t kAny = 1000;

}  // namespace

void add_data_commands(std::vector<Command>* rows) {
  rows->push_back(
      {{"data inspect", "FILE", 1, 1, false, {}}, "Prints what a cache file of rows holds.", inspect});
  rows->push_back(
      {{"data verify", "FILE...", 1, kAny, false, {}}, "Reads cache files wholly and checks them.", verify});
  rows->push_back({{"data head", "FILE", 1, 1, false, {{"rows", "N", "so many rows; 10 without it"}}},
                   "Prints the first rows of a cache file as CSV or LIBSVM text.",
                   head});
}

}  // namespace lockstep
