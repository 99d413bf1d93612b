// SPDX-License-Identifier: Apache-2.0
#include "data/idx.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>

#include "data/bad_rows.h"
#include "data/byte_source.h"
#include "data/labels_file.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

enum class Type : std::uint8_t {
  kUint8 = 0x08,
  kInt8 = 0x09,
  kInt16 = 0x0B,
  kInt32 = 0x0C,
  kFloat = 0x0D,
  kDouble = 0x0E
};

std::size_t size_of(Type type) {
  switch (type) {
    case Type::kUint8:
    case Type::kInt8:
      return 1;
    case Type::kInt16:
      return 2;
    case Type::kInt32:
    case Type::kFloat:
      return 4;
    case Type::kDouble:
      return 8;
  }
  return 0;
}

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw Error(ExitCode::kData, path + ": " + what);
}

struct Header {
  Type type = Type::kUint8;
  Index rows = 1;
  Index cols = 1;
  int rank = 0;
};

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
}

Header read_header(ByteSource& source) {
  std::array<std::uint8_t, 4> magic{};
  source.read_exactly(magic.data(), magic.size(), "the IDX header");
  Header header{static_cast<Type>(magic[2])};
  header.rank = magic[3];
  if (magic[0] != 0 || magic[1] != 0 || size_of(header.type) == 0 || header.rank < 1 || header.rank > 8)
    fail(source.path(), "not an IDX file: it starts with other bytes than 0 0 type rank");
  std::size_t total = size_of(header.type);
  for (int i = 0; i < header.rank; ++i) {
    std::array<std::uint8_t, 4> bytes{};
    source.read_exactly(bytes.data(), bytes.size(), "the IDX header");
    const std::size_t size = big_endian(bytes.data());
    if (size == 0) fail(source.path(), "has no rows");
    if (total > source.bytes_left() / size)
      fail(source.path(), "truncated: the IDX header announces more values than the file can hold");
    total *= size;
    (i == 0 ? header.rows : header.cols) *= static_cast<Index>(size);
  }
  return header;
}

double value_at(Type type, const std::uint8_t* bytes) {
  switch (type) {
    case Type::kUint8:
      return bytes[0];
    case Type::kInt8:
      return static_cast<std::int8_t>(bytes[0]);
    case Type::kInt16:
      return static_cast<std::int16_t>(bytes[0] << 8 | bytes[1]);
    case Type::kInt32:
      return static_cast<std::int32_t>(big_endian(bytes));
    case Type::kFloat:
      return static_cast<double>(std::bit_cast<float>(big_endian(bytes)));
    case Type::kDouble:
      return std::bit_cast<double>(static_cast<std::uint64_t>(big_endian(bytes)) << 32 |
                                   big_endian(bytes + 4));
  }
  return 0;
}

/// One array, read row by row.
class IdxArray {
 public:
  explicit IdxArray(const std::string& path)
      : source_(path),
        header_(read_header(source_)),
        row_bytes_(static_cast<std::size_t>(header_.cols) * size_of(header_.type)) {}

  const Header& header() const { return header_; }
  bool is_compressed() const { return source_.is_compressed(); }
  const std::uint8_t* bytes() const { return bytes_.data(); }

  void next(const char* what) {
    if (bytes_.empty()) return source_.read_exactly(bytes_, row_bytes_, what);
    source_.read_exactly(bytes_.data(), row_bytes_, what);
  }

  float value(Index row, Index column) const {
    const std::size_t at = static_cast<std::size_t>(column) * size_of(header_.type);
    const auto result = static_cast<float>(value_at(header_.type, bytes_.data() + at));
    if (!std::isfinite(result))
      fail(source_.path() + ":" + std::to_string(row + 1) + ":" + std::to_string(column + 1),
           "the value is NaN or infinite, a finite number was expected");
    return result;
  }

  void expect_end() {
    char more = 0;
    if (source_.read(&more, 1) != 0) fail(source_.path(), "goes on after the last row its header announces");
  }

 private:
  ByteSource source_;
  Header header_;
  std::size_t row_bytes_;
  std::vector<std::uint8_t> bytes_;
};

std::optional<IdxArray> open_labels(const std::string& source, const std::string& named, const Header& header,
                                    Index unlabelled_features) {
  std::string path = named;
  if (path.empty())
    path = find_labels_file(source, {{"images", "labels"}, {"idx3", "idx1"}, {"idx2", "idx1"}});
  if (path.empty() && unlabelled_features == header.cols) return std::nullopt;
  if (path.empty()) fail(source, "no labels file was found beside it, name it by data.labels");
  std::optional<IdxArray> labels(path);
  if (labels->header().rows != header.rows || labels->header().cols != 1)
    fail(path, "has " + std::to_string(labels->header().rows) + " labels, " + source + " has " +
                   std::to_string(header.rows) + " rows");
  return labels;
}

}  // namespace

IdxFormat::IdxFormat(const Options& options)
    : labels_(options.text("data.labels")), skips_bad_rows_(options.text("data.on_bad_row") == "skip") {}

bool IdxFormat::matches(std::string_view, std::string_view head) {
  return head.size() >= 8 && head[0] == 0 && head[1] == 0 && size_of(static_cast<Type>(head[2])) != 0 &&
         head[3] >= 1 && head[3] <= 8;
}

void IdxFormat::read(const std::string& source, RowSink& sink) const {
  IdxArray images(source);
  const Header& header = images.header();
  std::optional<IdxArray> labels = open_labels(source, labels_, header, sink.unlabelled_features());
  const bool is_bytes = header.type == Type::kUint8;
  images.next("the last row");  // before anybody makes room for its columns
  RowSchema schema;
  schema.is_bytes = is_bytes;
  schema.features = header.cols;
  schema.rows = images.is_compressed() || skips_bad_rows_ ? -1 : header.rows;
  sink.begin(schema);
  BadRows bad;
  std::vector<float> dense(is_bytes ? 0 : static_cast<std::size_t>(header.cols));
  for (Index i = 0; i < header.rows; ++i) {
    Row row;
    row.line = i + 1;
    if (i > 0) images.next("the last row");
    if (labels) labels->next("the last label");
    try {
      if (labels) row.label.number = static_cast<double>(labels->value(i, 0));
      for (std::size_t j = 0; j < dense.size(); ++j) dense[j] = images.value(i, static_cast<Index>(j));
    } catch (const Error& error) {  // not finite
      if (!skips_bad_rows_) throw;
      bad.add(error.what());
      continue;
    }
    if (is_bytes)
      row.bytes = images.bytes();
    else
      row.dense = dense.data();
    sink.add(row);
  }
  images.expect_end();
  if (labels) labels->expect_end();
  if (bad.count() > 0) sink.skip_bad(bad.count(), bad.named());
}

}  // namespace lockstep
