// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <algorithm>

#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "data/load.h"
#include "data/registry.h"
#include "lockstep/core/error.h"
#include "support/temporary_folder.h"

namespace lockstep::testing {

using Settings = std::vector<std::pair<std::string, std::string>>;

inline Options make_options(const Settings& settings) {
  OptionTable table;
  declare_data_options(table);
  Options options(table);
  for (const auto& [key, value] : settings) {
    const OptionValue& known = options.value(key);
    if (std::holds_alternative<bool>(known))
      options.set(key, value == "true", "test");
    else if (std::holds_alternative<std::int64_t>(known))
      options.set(key, static_cast<std::int64_t>(std::stoll(value)), "test");
    else
      options.set(key, value, "test");
  }
  return options;
}

inline DataSets load(const Settings& settings, const LoadPlan& plan = {}) {
  return load_datasets(make_options(settings), format_registry(), plan);
}

inline std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, 0);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string idx(unsigned char type, const std::vector<std::uint32_t>& sizes,
                       const std::string& values) {
  std::string out{0, 0, static_cast<char>(type), static_cast<char>(sizes.size())};
  for (const std::uint32_t size : sizes)
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
  return out + values;
}

inline std::string npy(const std::string& type, const std::string& shape, const std::string& values,
                       const std::string& order = "False") {
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string out = "\x93NUMPY";
  out += {1, 0, static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
  return out + header + values;
}

template <class Value>
std::string bytes_of(const std::vector<Value>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)};
}

/// Row i of a data set as dense floats with label and weight behind, whatever its storage; shards hosted
/// here.
inline std::vector<float> row_of(const Dataset& data, Index i) {
  const ShardRows& rows = data.rows_of(static_cast<int>(i % data.shards()));
  const auto at = static_cast<std::size_t>(i / data.shards());
  const auto width = static_cast<std::size_t>(data.info().features);
  std::vector<float> result(width);
  if (!rows.dense.empty())
    std::copy_n(rows.dense.begin() + static_cast<std::ptrdiff_t>(at * width), width, result.begin());
  if (!rows.bytes.empty())
    preprocess(data.preprocessing(), rows.bytes.data() + at * width, width, result.data());
  if (data.info().is_sparse)
    for (Index e = rows.offsets[at]; e < rows.offsets[at + 1]; ++e)
      result[rows.columns[static_cast<std::size_t>(e)]] = rows.values[static_cast<std::size_t>(e)];
  result.push_back(rows.labels[at]);
  result.push_back(rows.weights.empty() ? 1.0F : rows.weights[at]);
  return result;
}

inline std::vector<std::vector<float>> all_rows(const Dataset& data) {
  std::vector<std::vector<float>> result;
  for (Index i = 0; i < data.info().rows; ++i) result.push_back(row_of(data, i));
  return result;
}

}  // namespace lockstep::testing
