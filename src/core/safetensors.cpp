// SPDX-License-Identifier: Apache-2.0
#include "core/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>

#include "core/atomic_file.h"
#include "core/hash.h"
#include "lockstep/core/error.h"

namespace lockstep {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

namespace {

using OrderedJson = nlohmann::ordered_json;
using Json = nlohmann::json;  // the other searches all keys for each, and headers of others have many

constexpr std::size_t kMostHeaderBytes = 100'000'000;  // the format's own limit
const std::string kNoChecksum(32, '0');

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw Error(ExitCode::kData, path.string() + ": " + what);
}

std::span<const std::byte> bytes_of(const TensorView& tensor) {
  const auto size = static_cast<std::size_t>(tensor.size);
  if (tensor.integers != nullptr) return std::as_bytes(std::span(tensor.integers, size));
  return std::as_bytes(std::span(tensor.data, size));
}

std::string header_text(const std::map<std::string, std::string>& metadata,
                        const std::vector<TensorView>& tensors) {
  OrderedJson header;
  header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const TensorView& tensor : tensors) {
    const std::size_t end = offset + bytes_of(tensor).size();
    header[tensor.name] = {{"dtype", tensor.integers != nullptr ? "I64" : "F32"},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

std::string checksum(const std::string& header, const void* data, std::size_t size) {
  Hash hash;
  hash.add(header);
  hash.add(data, size);
  return hash.hex();
}

// A name may be as long as the header.
std::string shown(const std::string& name) {
  constexpr std::size_t kMost = 100;
  return name.size() > kMost ? name.substr(0, kMost) + "…" : name;
}

// Each check precedes the first use of what it checks.
TensorData parse_tensor(const std::filesystem::path& path, const std::string& name, const Json& entry,
                        std::string_view data, std::size_t& expected_begin) {
  const bool is_object = entry.is_object() && entry.contains("dtype") && entry["dtype"].is_string();
  const std::string type = is_object ? entry["dtype"].get<std::string>() : "";
  if ((type != "F32" && type != "I64") || !entry.contains("shape") || !entry["shape"].is_array() ||
      !entry.contains("data_offsets") || !entry["data_offsets"].is_array() ||
      entry["data_offsets"].size() != 2)
    fail(path, "tensor " + shown(name) + " is not float32 or int64 with shape and data_offsets");
  const std::size_t width = type == "I64" ? sizeof(std::int64_t) : sizeof(float);
  TensorData tensor;
  tensor.name = name;
  std::size_t count = 1;
  for (const Json& extent : entry["shape"]) {
    if (!extent.is_number_unsigned())
      fail(path, "tensor " + shown(name) + " has a shape that is not of whole numbers");
    const auto value = extent.get<std::uint64_t>();
    if (value > data.size() || __builtin_mul_overflow(count, value, &count))
      fail(path, "tensor " + shown(name) + " is larger than the file");
    tensor.shape.push_back(static_cast<Index>(value));
  }
  if (!entry["data_offsets"][0].is_number_unsigned() || !entry["data_offsets"][1].is_number_unsigned())
    fail(path, "tensor " + shown(name) + " has data_offsets that are not whole numbers");
  const auto begin = entry["data_offsets"][0].get<std::uint64_t>();
  const auto end = entry["data_offsets"][1].get<std::uint64_t>();
  if (begin != expected_begin || end < begin || end > data.size() || (end - begin) / width != count ||
      (end - begin) % width != 0)
    fail(path, "tensor " + shown(name) + " does not fit its data_offsets: the file is truncated or damaged");
  expected_begin = end;
  tensor.values.resize(count);
  if (type == "F32") {
    if (count > 0) std::memcpy(tensor.values.data(), data.data() + begin, end - begin);
    return tensor;
  }
  for (std::size_t i = 0; i < count; ++i) {
    std::int64_t value = 0;
    std::memcpy(&value, data.data() + begin + i * width, width);
    tensor.values[i] = static_cast<float>(value);
  }
  return tensor;
}

Json parse_header(const std::filesystem::path& path, const std::string& text) {
  // Depth is bounded by us: the parser recurses.
  int depth = 0;
  std::size_t keys = 0;  // of the outer object; of equal ones the parser keeps the last
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string && (text[i] == '{' || text[i] == '[')) {
      if (++depth > 8) fail(path, "the header is nested too deeply for a safetensors file");
    } else if (!in_string && (text[i] == '}' || text[i] == ']')) {
      --depth;
    } else if (!in_string && depth == 1 && text[i] == ':') {
      ++keys;
    }
  }
  Json header = Json::parse(text, nullptr, false);
  if (!header.is_object()) fail(path, "is not a safetensors file: its header is not JSON");
  if (header.size() != keys) fail(path, "a tensor is there twice");
  return header;
}

struct Entry {
  std::pair<std::uint64_t, std::uint64_t> place;  // (0, 0) where it is malformed
  std::string name;
  const Json* json = nullptr;
};

std::pair<std::uint64_t, std::uint64_t> place_of(const Json& entry) {
  const auto found = entry.is_object() ? entry.find("data_offsets") : entry.end();
  if (found == entry.end() || !found->is_array() || found->size() != 2) return {};
  const Json &begin = (*found)[0], &end = (*found)[1];
  if (!begin.is_number_unsigned() || !end.is_number_unsigned()) return {};
  return {begin.get<std::uint64_t>(), end.get<std::uint64_t>()};
}

// In the order of their data, which need not be that of the header.
std::vector<Entry> tensors_of(const Json& header) {
  std::vector<Entry> entries;
  for (const auto& [name, json] : header.items())
    if (name != "__metadata__") entries.push_back({place_of(json), name, &json});
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.place < b.place; });
  return entries;
}

}  // namespace

const TensorData* TensorFile::find(const std::string& name) const {
  for (const TensorData& tensor : tensors)
    if (tensor.name == name) return &tensor;
  return nullptr;
}

std::string hash_of(const std::vector<TensorView>& tensors) {
  Hash hash;
  for (const TensorView& tensor : tensors) hash.add(bytes_of(tensor).data(), bytes_of(tensor).size());
  return hash.hex();
}

std::string write_safetensors(const std::filesystem::path& path, std::map<std::string, std::string> metadata,
                              const std::vector<TensorView>& tensors) {
  metadata["checksum"] = kNoChecksum;
  std::string header = header_text(metadata, tensors);
  const std::uint64_t size = header.size();
  Hash hash;
  hash.add(header);
  for (const TensorView& tensor : tensors) hash.add(bytes_of(tensor).data(), bytes_of(tensor).size());
  header.replace(header.find("\"checksum\":\"" + kNoChecksum) + 12, kNoChecksum.size(), hash.hex());
  AtomicFile file(path);
  file.write(&size, sizeof size);
  file.write(header);
  for (const TensorView& tensor : tensors) file.write(bytes_of(tensor).data(), bytes_of(tensor).size());
  file.commit();
  return hash_of(tensors);
}

TensorFile read_safetensors(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  std::uint64_t header_size = 0;
  if (content.size() < sizeof header_size) fail(path, "is too short for a safetensors file");
  std::memcpy(&header_size, content.data(), sizeof header_size);
  if (header_size > kMostHeaderBytes || header_size > content.size() - sizeof header_size)
    fail(path, "is not a safetensors file, or is truncated: its header would end behind the file");
  std::string header = content.substr(sizeof header_size, header_size);
  const std::string_view data = std::string_view(content).substr(sizeof header_size + header_size);
  const Json json = parse_header(path, header);
  TensorFile file;
  std::size_t end = 0;
  for (const Entry& entry : tensors_of(json))
    file.tensors.push_back(parse_tensor(path, entry.name, *entry.json, data, end));
  if (json.contains("__metadata__")) {
    const Json& metadata = json["__metadata__"];
    if (!metadata.is_object()) fail(path, "has metadata that are no table of texts");
    for (const auto& [key, value] : metadata.items()) {
      if (!value.is_string()) fail(path, "metadata " + shown(key) + " is not a text");
      file.metadata[key] = value.get<std::string>();
    }
  }
  if (end != data.size()) fail(path, "has data that belongs to no tensor");
  if (const auto stored = file.metadata.find("checksum"); stored != file.metadata.end()) {
    const auto position = header.find("\"checksum\":\"" + stored->second);
    if (position == std::string::npos || stored->second.size() != kNoChecksum.size())
      fail(path, "has a malformed checksum");
    header.replace(position + 12, kNoChecksum.size(), kNoChecksum);
    if (checksum(header, data.data(), data.size()) != stored->second)
      fail(path, "is damaged: its checksum does not match its content");
  }
  file.data_hash = hash_hex(data.data(), data.size());
  return file;
}

}  // namespace lockstep
