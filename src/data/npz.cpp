// SPDX-License-Identifier: Apache-2.0
#include "data/npz.h"

#include <algorithm>
#include <initializer_list>

#include "data/npy_rows.h"
#include "data/zip_archive.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

using Members = std::vector<ZipArchive::Member>;

Members arrays_of(const ZipArchive& archive) {
  Members arrays;
  std::copy_if(archive.members().begin(), archive.members().end(), std::back_inserter(arrays),
               [](const auto& member) { return member.name.ends_with(".npy"); });
  if (arrays.empty())
    throw Error(ExitCode::kData, archive.path() + ": is a zip archive without an .npy array");
  return arrays;
}

const ZipArchive::Member* find(const Members& arrays, std::initializer_list<const char*> names) {
  for (const char* name : names)
    for (const ZipArchive::Member& array : arrays)
      if (array.name == std::string(name) + ".npy") return &array;
  return nullptr;
}

// The first array that is not `other`.
const ZipArchive::Member* first_but(const Members& arrays, const ZipArchive::Member* other) {
  for (const ZipArchive::Member& array : arrays)
    if (&array != other) return &array;
  return nullptr;
}

}  // namespace

bool NpzFormat::matches(std::string_view, std::string_view head) {
  return head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06");
}

void NpzFormat::read(const std::string& source, RowSink& sink) const {
  const ZipArchive archive(source);
  const Members arrays = arrays_of(archive);
  const ZipArchive::Member* labels = find(arrays, {"y", "Y", "labels", "label", "target"});
  const ZipArchive::Member* features = find(arrays, {"x", "X", "features", "data", "images"});
  if (features == nullptr) features = first_but(arrays, labels);
  if (features == nullptr) throw Error(ExitCode::kData, source + ": has no array of features");
  if (labels == nullptr) labels = first_but(arrays, features);
  std::optional<ByteSource> rest;
  if (!settings_.labels.empty())
    rest.emplace(settings_.labels);
  else if (labels != nullptr && settings_.label.empty())
    rest.emplace(archive.open(*labels));
  NpyRows(archive.open(*features), std::move(rest), settings_, sink).pass();
}

}  // namespace lockstep
