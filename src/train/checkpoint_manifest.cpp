// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint_manifest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "core/atomic_file.h"
#include "core/hash.h"
#include "core/json.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t kMostBytes = 16'000'000;
constexpr Index kMostFloats = Index{1} << 48;  // of a vector, and of all together: bytes do not overflow
constexpr int kDeepest = 8;
const std::string kNoChecksum(32, '0');
const std::string kChecksumKey = "\"checksum\": \"";

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ExitCode::kData, what);
}

// Whole numbers only: a float or a negative one is refused before it is used.
Index whole(const Json& json) {
  if (!json.is_number_unsigned() || json.get<std::uint64_t>() > static_cast<std::uint64_t>(kMostFloats))
    refuse("a size is no whole number, or too large");
  return static_cast<Index>(json.get<std::uint64_t>());
}

CheckpointTensor parse_tensor(const Json& json) {
  CheckpointTensor tensor{json.at("name").get<std::string>(), {}, whole(json.at("offset")), 1};
  for (const Json& extent : json.at("shape")) {
    tensor.shape.push_back(whole(extent));
    if (__builtin_mul_overflow(tensor.size, tensor.shape.back(), &tensor.size) || tensor.size > kMostFloats)
      refuse("tensor " + tensor.name + " is too large");
  }
  return tensor;
}

CheckpointVector parse_vector(const Json& json, std::set<std::string>& names) {
  CheckpointVector vector{json.at("name").get<std::string>(), whole(json.at("size")), {}};
  if (!names.insert("vector " + vector.name).second) refuse("vector " + vector.name + " is there twice");
  Index end = 0;
  for (const Json& entry : json.at("tensors")) {
    vector.tensors.push_back(parse_tensor(entry));
    const CheckpointTensor& tensor = vector.tensors.back();
    if (!names.insert("tensor " + tensor.name).second) refuse("tensor " + tensor.name + " is there twice");
    if (tensor.offset < end || tensor.offset + tensor.size > vector.size)
      refuse("tensor " + tensor.name + " does not fit its vector");
    end = tensor.offset + tensor.size;
  }
  return vector;
}

CheckpointPart parse_part(const Json& json, const std::vector<CheckpointVector>& vectors) {
  CheckpointPart part{json.at("hash").get<std::string>(), {}};
  for (const Json& entry : json.at("pieces")) {
    if (!entry.is_array() || entry.size() != 3) refuse("a piece is not [vector, begin, end]");
    const Index vector = whole(entry[0]), begin = whole(entry[1]), end = whole(entry[2]);
    if (vector >= static_cast<Index>(vectors.size()) || begin > end ||
        end > vectors[static_cast<std::size_t>(vector)].size)
      refuse("a piece lies outside its vector");
    part.pieces.push_back({static_cast<int>(vector), begin, end});
  }
  return part;
}

void require_cover(const CheckpointManifest& manifest) {
  std::vector<CheckpointPiece> pieces;
  for (const CheckpointPart& part : manifest.parts)
    for (const CheckpointPiece& piece : part.pieces)
      if (piece.begin < piece.end) pieces.push_back(piece);
  std::sort(pieces.begin(), pieces.end(), [](const CheckpointPiece& a, const CheckpointPiece& b) {
    return std::pair(a.vector, a.begin) < std::pair(b.vector, b.begin);
  });
  auto next = pieces.begin();
  for (std::size_t i = 0; i < manifest.vectors.size(); ++i) {
    Index end = 0;
    for (; next != pieces.end() && next->vector == static_cast<int>(i); ++next) {
      if (next->begin != end) refuse("pieces of " + manifest.vectors[i].name + " overlap or leave a gap");
      end = next->end;
    }
    if (end != manifest.vectors[i].size) refuse("pieces of " + manifest.vectors[i].name + " leave a gap");
  }
}

void require_part_files(const fs::path& folder, const CheckpointManifest& manifest) {
  for (std::size_t i = 0; i < manifest.parts.size(); ++i) {
    const fs::path path = folder / part_name(i);
    require_openable(path);
    std::error_code error;
    if (!fs::is_regular_file(fs::symlink_status(path, error)) || error) refuse(part_name(i) + " is missing");
    const auto size = fs::file_size(path, error);
    if (error || size != static_cast<std::uintmax_t>(manifest.parts[i].file_bytes()))
      refuse(fmt::format("{} has {} bytes instead of {}: it is truncated or damaged", part_name(i),
                         error ? 0 : size, manifest.parts[i].file_bytes()));
  }
}

void require_checksum(std::string text, const std::string& stored) {
  const auto position = text.find(kChecksumKey + stored);
  if (position == std::string::npos || stored.size() != kNoChecksum.size())
    refuse("has a malformed checksum");
  text.replace(position + kChecksumKey.size(), kNoChecksum.size(), kNoChecksum);
  if (hash_hex(text.data(), text.size()) != stored)
    refuse("is damaged: its checksum does not match its content");
}

void require_format(const Json& json) {
  const std::string format = json.value("format", "");
  if (!format.starts_with("lockstep-checkpoint-")) refuse("is not of a checkpoint of this program");
  if (format != kCheckpointFormat)
    refuse("has format " + format + "; this program reads " + kCheckpointFormat +
           ". Resume with the version that wrote it");
}

CheckpointManifest parse(const fs::path& folder, const std::string& text) {
  const auto is_shallow = [](int depth, Json::parse_event_t, Json&) {
    if (depth > kDeepest) refuse("is nested too deeply");
    return true;
  };
  const Json json = Json::parse(text, is_shallow, false);
  if (!json.is_object()) refuse("is damaged: it is not JSON");
  require_format(json);
  CheckpointManifest manifest;
  manifest.checksum = json.at("checksum").get<std::string>();
  require_checksum(text, manifest.checksum);
  manifest.is_milestone = json.at("milestone").get<bool>();
  manifest.state = json.at("state").get<std::string>();
  manifest.config = json.at("config").get<std::string>();
  std::set<std::string> names;
  Index floats = 0;
  for (const Json& entry : json.at("vectors")) {
    manifest.vectors.push_back(parse_vector(entry, names));
    floats += manifest.vectors.back().size;
    if (floats > kMostFloats) refuse("its vectors are too large");
  }
  for (const Json& entry : json.at("parts")) manifest.parts.push_back(parse_part(entry, manifest.vectors));
  require_cover(manifest);
  require_part_files(folder, manifest);
  return manifest;
}

}  // namespace

Index CheckpointPart::data_bytes() const {
  Index floats = 0;
  for (const CheckpointPiece& piece : pieces) floats += piece.end - piece.begin;
  return floats * static_cast<Index>(sizeof(float));
}

Index CheckpointPart::blocks() const {
  return (data_bytes() + kCheckpointBlock - 1) / kCheckpointBlock;
}

Index CheckpointPart::file_bytes() const {
  return data_bytes() + blocks() * static_cast<Index>(sizeof(std::uint64_t));
}

int CheckpointManifest::find(const std::string& vector) const {
  for (std::size_t i = 0; i < vectors.size(); ++i)
    if (vectors[i].name == vector) return static_cast<int>(i);
  return -1;
}

std::string part_name(std::size_t part) {
  return fmt::format("part-{:03}.bin", part);
}

std::string manifest_text(const CheckpointManifest& manifest) {
  Json json = {{"format", kCheckpointFormat}, {"checksum", kNoChecksum}, {"milestone", manifest.is_milestone},
               {"vectors", Json::array()},    {"parts", Json::array()},  {"state", manifest.state},
               {"config", manifest.config}};
  for (const CheckpointVector& vector : manifest.vectors) {
    Json tensors = Json::array();
    for (const CheckpointTensor& tensor : vector.tensors)
      tensors.push_back({{"name", tensor.name}, {"shape", tensor.shape}, {"offset", tensor.offset}});
    json["vectors"].push_back({{"name", vector.name}, {"size", vector.size}, {"tensors", tensors}});
  }
  for (std::size_t i = 0; i < manifest.parts.size(); ++i) {
    const CheckpointPart& part = manifest.parts[i];
    Json pieces = Json::array();
    for (const CheckpointPiece& piece : part.pieces) pieces.push_back({piece.vector, piece.begin, piece.end});
    json["parts"].push_back({{"file", part_name(i)}, {"hash", part.hash}, {"pieces", pieces}});
  }
  std::string text = json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
  text.replace(text.find(kChecksumKey) + kChecksumKey.size(), kNoChecksum.size(),
               hash_hex(text.data(), text.size()));
  return text;
}

CheckpointManifest read_manifest(const fs::path& folder) {
  const fs::path path = folder / "manifest.json";
  require_openable(path);
  try {
    if (!fs::is_regular_file(path)) refuse("is missing: the checkpoint is not whole");
    if (fs::file_size(path) > kMostBytes) refuse("is too large for a manifest");
    return parse(folder, read_file(path));
  } catch (const Error& error) {
    throw Error(error.code(), path.string() + ": " + error.what());
  } catch (const std::exception& error) {
    throw Error(ExitCode::kData, path.string() + ": is damaged: " + error.what());
  }
}

void require_openable(const fs::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor >= 0) {
    close(descriptor);
    return;
  }
  for (const int passing : {EACCES, EPERM, EMFILE, ENFILE, ENOMEM, ESTALE, ETIMEDOUT})
    if (errno == passing)
      throw Error(ExitCode::kIo, path.string() + ": cannot be read: " + std::strerror(errno));
}

}  // namespace lockstep
