// SPDX-License-Identifier: Apache-2.0
#include "data/cache_layout.h"

#include <stdexcept>

#include "data/hashed_features.h"

namespace lockstep {

std::uint64_t cache_row_label_at(const CacheHeader& header) {
  switch (header.kind) {
    case CacheKind::kFloat32:
      return header.features * 4;
    case CacheKind::kFloat16:
      return header.features * 2;
    case CacheKind::kBytes:
      return header.features;
    case CacheKind::kSparse:
      break;
  }
  return 8;
}

std::uint64_t cache_row_bytes(const CacheHeader& header) {
  return cache_row_label_at(header) + header.label_bytes + (header.has_weights != 0 ? 4 : 0);
}

std::string CacheMetadata::to_json() const {
  Json json{{"source", source},
            {"files", files},
            {"feature_names", feature_names},
            {"hashed", hashed_json(hashed)},
            {"classes", classes},
            {"label_texts", label_texts},
            {"has_label_values", has_label_values},
            {"label_numbers", label_numbers},
            {"label_counts", label_counts},
            {"label_text_counts", label_text_counts},
            {"categories", categories},
            {"warnings", warnings},
            {"bad_count", bad_count},
            {"bad_lines", bad_lines},
            {"content_hash", content_hash},
            {"identity", identity}};
  if (missing) json["missing"] = {{"row", missing->row}, {"feature", missing->feature}};
  Json& runs = json["lines"] = Json::array();  // [row, file, line]
  for (const LineRun& run : lines) runs.push_back({run.row, run.file, run.line});
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

CacheMetadata CacheMetadata::from_json(const std::string& text) {
  const Json json = Json::parse(text);
  CacheMetadata result;
  json.at("source").get_to(result.source);
  json.at("files").get_to(result.files);
  json.at("feature_names").get_to(result.feature_names);
  if (json.contains("hashed")) result.hashed = parse_hashed(json.at("hashed"));
  json.at("classes").get_to(result.classes);
  json.at("label_texts").get_to(result.label_texts);
  json.at("has_label_values").get_to(result.has_label_values);
  json.at("label_numbers").get_to(result.label_numbers);
  json.at("label_counts").get_to(result.label_counts);
  json.at("label_text_counts").get_to(result.label_text_counts);
  if (result.label_counts.size() != result.label_numbers.size() ||
      result.label_text_counts.size() != result.label_texts.size())
    throw std::runtime_error("as many counts as labels were expected");
  json.at("categories").get_to(result.categories);
  result.warnings = json.value("warnings", result.warnings);
  if (json.contains("missing"))
    result.missing = {json.at("missing").at("row").get<Index>(),
                      json.at("missing").at("feature").get<Index>()};
  json.at("bad_count").get_to(result.bad_count);
  json.at("bad_lines").get_to(result.bad_lines);
  json.at("content_hash").get_to(result.content_hash);
  json.at("identity").get_to(result.identity);
  for (const Json& run : json.at("lines"))
    result.lines.push_back({run.at(0).get<Index>(), run.at(1).get<int>(), run.at(2).get<Index>()});
  return result;
}

}  // namespace lockstep
