// SPDX-License-Identifier: Apache-2.0
#include "data/hashed_features.h"

namespace lockstep {

namespace {

constexpr int kMostBits = 31;
constexpr Index kMostColumns = Index{1} << 32;
constexpr std::size_t kShown = 100;  // bytes of a name in a message

std::string shown(const std::string& name) {
  return "\"" + name.substr(0, kShown) + "\"";
}

std::string table_difference(const HashedFeatures& trained, const HashedFeatures& source) {
  const std::string remedy = " (a cache file is made anew from its source with these options)";
  if (source.bits == 0)
    return "its features are not hashed, those of the training data are; set " + hash_options(trained) +
           remedy;
  if (trained.bits == 0)
    return "its features are hashed, those of the training data are not; set data.hash_bits = 0" + remedy;
  return "its features are hashed with " + hash_options(source) + "; set " + hash_options(trained) +
         ", as they are in the training data" + remedy;
}

// Hashed are the names of columns, or their numbers where they have none.
std::string column_difference(const HashedFeatures& trained, const HashedFeatures& source) {
  if ((source.columns == 0) != (trained.columns == 0))
    return source.columns == 0 ? "has index:value pairs, the training data has columns"
                               : "has columns, the training data has index:value pairs";
  if (source.columns != trained.columns)
    return "has " + std::to_string(source.columns) + " columns of features, the training data has " +
           std::to_string(trained.columns);
  if (source.names.empty() && !trained.names.empty())
    return "has no line with the names of its columns, by which the training data was hashed; put one first";
  if (trained.names.empty() && !source.names.empty())
    return "has a line with the names of its columns, the training data was hashed without; take it away";
  for (std::size_t j = 0; j < source.names.size(); ++j)
    if (!is_same_name(source.names[j], trained.names[j]))
      return "has " + shown(source.names[j]) + " as feature " + std::to_string(j + 1) +
             ", the training data has " + shown(trained.names[j]) +
             " there; columns need the same names in the same order";
  return "";
}

}  // namespace

bool is_same_name(const std::string& a, const std::string& b) {
  const auto kept = [](const std::string& name) {
    return Json(name).dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  return a == b || kept(a) == kept(b);
}

Json hashed_json(const HashedFeatures& hashed) {
  return {{"bits", hashed.bits}, {"seed", hashed.seed}, {"columns", hashed.columns}, {"names", hashed.names}};
}

HashedFeatures parse_hashed(const Json& json) {
  HashedFeatures hashed;
  json.at("bits").get_to(hashed.bits);
  json.at("seed").get_to(hashed.seed);
  json.at("columns").get_to(hashed.columns);
  json.at("names").get_to(hashed.names);
  return hashed;
}

bool is_sound(const HashedFeatures& hashed, Index features) {
  if (hashed.bits <= 0) return hashed.bits >= -1 && hashed.columns == 0 && hashed.names.empty();
  return hashed.bits <= kMostBits && features == Index{1} << hashed.bits && hashed.columns >= 0 &&
         hashed.columns < kMostColumns &&
         (hashed.names.empty() || static_cast<Index>(hashed.names.size()) == hashed.columns);
}

std::string hash_options(const HashedFeatures& hashed) {
  const std::string start = hashed.columns > 0 ? "data.categories = \"hash\", " : "";
  return start + "data.hash_bits = " + std::to_string(hashed.bits) +
         " and data.hash_seed = " + std::to_string(hashed.seed);
}

std::string hash_difference(const HashedFeatures& trained, const HashedFeatures& source) {
  if (trained.bits < 0 || source.bits < 0) return "";
  if (trained.bits != source.bits || (trained.bits > 0 && trained.seed != source.seed))
    return table_difference(trained, source);
  return trained.bits > 0 ? column_difference(trained, source) : "";
}

}  // namespace lockstep
