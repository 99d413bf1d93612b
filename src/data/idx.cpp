// SPDX-License-Identifier: Apache-2.0
#include "data/idx.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "data/byte_source.h"
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
  Index rows = 0;
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
    if (size > 0 && total > source.size_limit() / size)
      fail(source.path(), "truncated: the IDX header announces more values than the file can hold");
    total *= size;
    (i == 0 ? header.rows : header.cols) *= i == 0 ? 1 : static_cast<Index>(size);
    if (i == 0) header.rows = static_cast<Index>(size);
  }
  if (header.rows == 0 || header.cols == 0) fail(source.path(), "has no rows");
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

std::string labels_beside(const std::string& images) {
  const std::filesystem::path path(images);
  std::string name = path.filename().string();
  const auto swap = [&](std::string_view from, std::string_view to) {
    const auto at = name.find(from);
    if (at != std::string::npos) name.replace(at, from.size(), to);
    return at != std::string::npos;
  };
  if (!swap("images", "labels"))
    fail(images, "no labels: its name has no \"images\" to replace by \"labels\", name them by data.labels");
  if (!swap("idx3", "idx1")) swap("idx2", "idx1");
  const auto plain = path.parent_path() / name;
  if (std::filesystem::exists(plain)) return plain.string();
  if (plain.extension() == ".gz") {
    auto shorter = plain;
    shorter.replace_extension();
    if (std::filesystem::exists(shorter)) return shorter.string();
  } else if (std::filesystem::exists(plain.string() + ".gz")) {
    return plain.string() + ".gz";
  }
  return plain.string();
}

void expect_end(ByteSource& source) {
  char more = 0;
  if (source.read(&more, 1) != 0) fail(source.path(), "goes on after the last row its header announces");
}

}  // namespace

IdxFormat::IdxFormat(const Options& options) : labels_(options.text("data.labels")) {}

bool IdxFormat::matches(std::string_view, std::string_view head) {
  return head.size() >= 8 && head[0] == 0 && head[1] == 0 && size_of(static_cast<Type>(head[2])) != 0 &&
         head[3] >= 1 && head[3] <= 8;
}

void IdxFormat::read(const std::string& source, RowSink& sink) const {
  ByteSource images(source);
  const Header header = read_header(images);
  ByteSource labels(labels_.empty() ? labels_beside(source) : labels_);
  const Header label_header = read_header(labels);
  if (label_header.rows != header.rows || label_header.cols != 1)
    fail(labels.path(), "has " + std::to_string(label_header.rows) + " labels, " + source + " has " +
                            std::to_string(header.rows) + " rows");
  RowSchema schema;
  schema.is_bytes = header.type == Type::kUint8;
  schema.features = header.cols;
  schema.rows = header.rows;
  sink.begin(schema);

  const std::size_t size = size_of(header.type), label_size = size_of(label_header.type);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(header.cols) * size), label(label_size);
  std::vector<float> dense(schema.is_bytes ? 0 : static_cast<std::size_t>(header.cols));
  for (Index i = 0; i < header.rows; ++i) {
    images.read_exactly(bytes.data(), bytes.size(), "the last row");
    labels.read_exactly(label.data(), label_size, "the last label");
    for (std::size_t j = 0; j < dense.size(); ++j) {
      dense[j] = static_cast<float>(value_at(header.type, bytes.data() + j * size));
      if (!std::isfinite(dense[j]))
        fail(source, "row " + std::to_string(i + 1) + ", column " + std::to_string(j + 1) +
                         " is NaN or infinite, a finite number was expected");
    }
    Row row;
    row.line = i + 1;
    row.label.number = value_at(label_header.type, label.data());
    row.bytes = schema.is_bytes ? bytes.data() : nullptr;
    row.dense = schema.is_bytes ? nullptr : dense.data();
    sink.add(row);
  }
  expect_end(images);
  expect_end(labels);
}

}  // namespace lockstep
