// SPDX-License-Identifier: Apache-2.0
// The serial library is enough for any number of ranks: each opens the file for reading and selects its own
// rows. MPI-IO would coordinate who writes, and make every read collective.
#include "data/hdf5_table.h"

#include <hdf5.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <utility>
#include <vector>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr Index kMostColumns = Index{1} << 24;  // 64 MiB a row, as of text
constexpr std::size_t kChunkCacheBytes = std::size_t{64} << 20;
constexpr std::size_t kChunkCacheSlots = 12421;  // the library asks for a prime

// What the library says is wrong, where it found it.
std::string reason() {
  std::string text;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
        auto& first = *static_cast<std::string*>(out);
        if (first.empty() && error->desc != nullptr) first = error->desc;
        return 0;
      },
      &text);
  return text.empty() ? "the HDF5 library does not say why" : text;
}

class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  hid_t id() const { return id_; }
  bool is_open() const { return id_ >= 0; }

 private:
  hid_t id_;
  Close close_;
};

Handle open_file(const std::string& path) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // errors are thrown, not printed
  Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!file.is_open()) throw Error(ExitCode::kData, path + ": cannot be opened as HDF5: " + reason());
  return file;
}

class DataSet {
 public:
  DataSet(const std::string& path, hid_t file, const std::string& name) : path_(path), name_(name) {
    Handle access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
    H5Pset_chunk_cache(access.id(), kChunkCacheSlots, kChunkCacheBytes, 1);
    set_ = Handle(H5Dopen2(file, name.c_str(), access.id()), H5Dclose);
    if (!set_.is_open()) fail("cannot be opened: " + reason());
    const Handle space(H5Dget_space(set_.id()), H5Sclose);
    const int dimensions = H5Sget_simple_extent_ndims(space.id());
    if (dimensions > 0) sizes_.resize(static_cast<std::size_t>(dimensions));
    if (dimensions > 0) H5Sget_simple_extent_dims(space.id(), sizes_.data(), nullptr);
    const Handle type(H5Dget_type(set_.id()), H5Tclose);
    kind_ = H5Tget_class(type.id());
    value_bytes_ = H5Tget_size(type.id());
    is_unsigned_ = kind_ == H5T_INTEGER && H5Tget_sign(type.id()) == H5T_SGN_NONE;
  }

  const std::string& name() const { return name_; }
  std::size_t dimensions() const { return sizes_.size(); }
  bool has_numbers() const { return kind_ == H5T_INTEGER || kind_ == H5T_FLOAT; }
  bool has_bytes() const { return is_unsigned_ && value_bytes_ == 1; }
  Index rows() const { return sizes_.empty() ? 0 : static_cast<Index>(sizes_[0]); }
  Index cols() const { return cols_; }

  /// Looks whether its values can be rows.
  void check() {
    if (!has_numbers()) fail("has values that are no numbers; integers or floats were expected");
    if (sizes_.empty() || std::find(sizes_.begin(), sizes_.end(), 0U) != sizes_.end()) fail("has no rows");
    if (sizes_[0] > static_cast<hsize_t>(std::numeric_limits<Index>::max() / (16 * kMostColumns)))
      fail("announces more rows than a file can hold");
    for (std::size_t i = 1; i < sizes_.size(); ++i) {
      if (sizes_[i] > static_cast<hsize_t>(kMostColumns / cols_)) fail("has more than 2^24 values in a row");
      cols_ *= static_cast<Index>(sizes_[i]);
    }
    if (H5Dget_storage_size(set_.id()) == 0) fail("has a shape, but no values were written");
  }

  /// Whether its values are in the file as they are; else it may hold far less than it announces.
  bool is_whole() const {
    const auto bytes = static_cast<hsize_t>(rows() * cols_) * value_bytes_;
    return H5Dget_storage_size(set_.id()) >= bytes;
  }

  Index chunk_rows() const {
    const Handle plan(H5Dget_create_plist(set_.id()), H5Pclose);
    if (H5Pget_layout(plan.id()) != H5D_CHUNKED) return 1;
    std::vector<hsize_t> sizes(sizes_.size());
    if (H5Pget_chunk(plan.id(), static_cast<int>(sizes.size()), sizes.data()) < 0) return 1;
    return static_cast<Index>(std::max<hsize_t>(sizes[0], 1));
  }

  /// Values of whole rows, or of one column.
  void read(Index first, Index count, Index column, hid_t type, void* out) const {
    std::vector<hsize_t> start(sizes_.size()), extent(sizes_);
    if (column >= 0)
      for (std::size_t i = sizes_.size() - 1; i > 0; --i) {
        start[i] = static_cast<hsize_t>(column) % sizes_[i];
        column /= static_cast<Index>(sizes_[i]);
        extent[i] = 1;
      }
    start[0] = static_cast<hsize_t>(first);
    extent[0] = static_cast<hsize_t>(count);
    hsize_t values = 1;
    for (const hsize_t size : extent) values *= size;
    const Handle space(H5Dget_space(set_.id()), H5Sclose);
    const Handle memory(H5Screate_simple(1, &values, nullptr), H5Sclose);
    const bool is_read =
        H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr) >= 0 &&
        H5Dread(set_.id(), type, memory.id(), space.id(), H5P_DEFAULT, out) >= 0;
    if (!is_read) fail("cannot be read: " + reason());
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ExitCode::kData, path_ + ": data set " + name_ + " " + what);
  }

 private:
  std::string path_, name_;
  Handle set_{-1, H5Dclose};
  std::vector<hsize_t> sizes_;
  H5T_class_t kind_ = H5T_NO_CLASS;
  std::size_t value_bytes_ = 0;
  bool is_unsigned_ = false;
  Index cols_ = 1;
};

std::vector<DataSet> sets_of(const std::string& path, hid_t file) {
  std::vector<DataSet> sets;
  H5G_info_t group{};
  H5Gget_info(file, &group);
  for (hsize_t i = 0; i < group.nlinks; ++i) {
    std::string name(256, 0);  // longer ones are cut, and not found
    if (H5Lget_name_by_idx(file, ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT) <
        0)
      break;
    name.resize(name.find('\0'));
    const Handle object(H5Oopen(file, name.c_str(), H5P_DEFAULT), H5Oclose);
    if (object.is_open() && H5Iget_type(object.id()) == H5I_DATASET) sets.emplace_back(path, file, name);
  }
  return sets;
}

DataSet* find(std::vector<DataSet>& sets, std::initializer_list<const char*> names) {
  for (const char* name : names)
    for (DataSet& set : sets)
      if (set.name() == name) return &set;
  return nullptr;
}

template <class Condition>
DataSet* find_if(std::vector<DataSet>& sets, const Condition& condition) {
  const auto found = std::find_if(sets.begin(), sets.end(), condition);
  return found == sets.end() ? nullptr : &*found;
}

class OpenTable final : public Hdf5Table {
 public:
  OpenTable(const std::string& path, bool wants_labels)
      : file_(open_file(path)), sets_(sets_of(path, file_.id())) {
    labels_ = find(sets_, {"y", "Y", "labels", "label", "target"});
    features_ = find(sets_, {"x", "X", "features", "data", "images"});
    if (features_ == nullptr)
      features_ = find_if(sets_, [&](const DataSet& set) {
        return &set != labels_ && set.dimensions() > 1 && set.has_numbers();
      });
    if (features_ == nullptr)
      throw Error(ExitCode::kData, path + ": has no data set x in its root group, nor one of two dimensions");
    features_->check();
    if (labels_ == nullptr)
      labels_ = find_if(sets_, [&](const DataSet& set) {
        return &set != features_ && set.dimensions() == 1 && set.rows() == features_->rows() &&
               set.has_numbers();
      });
    if (!wants_labels) labels_ = nullptr;
    if (labels_ != nullptr) check_labels();
    shape_ = {features_->name(),      labels_ == nullptr ? "" : labels_->name(),
              features_->rows(),      features_->cols(),
              features_->has_bytes(), features_->is_whole(),
              features_->chunk_rows()};
  }

  const Shape& shape() const override { return shape_; }
  void read_floats(Index first, Index count, float* out) const override {
    features_->read(first, count, -1, H5T_NATIVE_FLOAT, out);
  }
  void read_bytes(Index first, Index count, std::uint8_t* out) const override {
    features_->read(first, count, -1, H5T_NATIVE_UINT8, out);
  }
  void read_column(Index column, Index first, Index count, double* out) const override {
    (column < 0 ? labels_ : features_)->read(first, count, column, H5T_NATIVE_DOUBLE, out);
  }

 private:
  void check_labels() {
    labels_->check();
    if (labels_->rows() != features_->rows() || labels_->cols() != 1)
      labels_->fail("has " + std::to_string(labels_->rows() * labels_->cols()) + " labels, " +
                    features_->name() + " has " + std::to_string(features_->rows()) + " rows");
  }

  Handle file_;
  std::vector<DataSet> sets_;
  DataSet *features_ = nullptr, *labels_ = nullptr;
  Shape shape_;
};

}  // namespace

std::unique_ptr<Hdf5Table> open_hdf5(const std::string& path, bool wants_labels) {
  return std::make_unique<OpenTable>(path, wants_labels);
}

}  // namespace lockstep
