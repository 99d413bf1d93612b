// SPDX-License-Identifier: Apache-2.0
// HDF5 files give the rows that the same arrays give as NumPy files, on any number of ranks, however they are
// stored; what is wrong with one is told with the file and the data set. In builds with LOCKSTEP_HDF5.
#include <gtest/gtest.h>
#include <hdf5.h>

#include <cstring>
#include <filesystem>
#include <mutex>
#include <numeric>
#include <optional>

#include "core/atomic_file.h"
#include "data/loading.h"
#include "data/row_rounds.h"
#include "support/thread_communicator.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;
using Rows = std::vector<std::vector<float>>;
using Sizes = std::vector<hsize_t>;

constexpr int kShards = 4;

hid_t type_of(float) {
  return H5T_NATIVE_FLOAT;
}
hid_t type_of(double) {
  return H5T_NATIVE_DOUBLE;
}
hid_t type_of(std::uint8_t) {
  return H5T_NATIVE_UINT8;
}
hid_t type_of(std::int16_t) {
  return H5T_NATIVE_INT16;
}
hid_t type_of(std::int64_t) {
  return H5T_NATIVE_INT64;
}

class File {
 public:
  explicit File(const std::string& path)
      : id_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {}
  ~File() { H5Fclose(id_); }

  /// `chunk`: deflated in chunks of these sizes. `stored`: the type in the file, else that of the values.
  template <class Value>
  File& add(const std::string& name, const Sizes& sizes, const std::vector<Value>& values,
            const Sizes& chunk = {}, hid_t stored = -1) {
    const hid_t space = H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr);
    const hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
    if (!chunk.empty()) {
      H5Pset_chunk(plan, static_cast<int>(chunk.size()), chunk.data());
      H5Pset_deflate(plan, 4);
    }
    const hid_t set = H5Dcreate2(id_, name.c_str(), stored < 0 ? type_of(Value{}) : stored, space,
                                 H5P_DEFAULT, plan, H5P_DEFAULT);
    if (!values.empty()) H5Dwrite(set, type_of(Value{}), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(set);
    H5Pclose(plan);
    H5Sclose(space);
    return *this;
  }
  /// Of a data set that announces `sizes`, in chunks, only the first value is written.
  File& add_start(const std::string& name, const Sizes& sizes, const Sizes& chunk, float value) {
    const Sizes one(sizes.size(), 1), origin(sizes.size(), 0);
    const hid_t space = H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr);
    const hid_t part = H5Screate_simple(static_cast<int>(sizes.size()), one.data(), nullptr);
    const hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plan, static_cast<int>(chunk.size()), chunk.data());
    const hid_t set = H5Dcreate2(id_, name.c_str(), H5T_NATIVE_FLOAT, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, origin.data(), nullptr, one.data(), nullptr);
    H5Dwrite(set, H5T_NATIVE_FLOAT, part, space, H5P_DEFAULT, &value);
    H5Dclose(set);
    H5Pclose(plan);
    H5Sclose(part);
    H5Sclose(space);
    return *this;
  }
  File& add_texts(const std::string& name) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    add<float>(name, {3, 2}, {}, {}, type);
    H5Tclose(type);
    return *this;
  }
  File& add_group(const std::string& name) {
    H5Gclose(H5Gcreate2(id_, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    return *this;
  }

 private:
  hid_t id_;
};

const std::vector<float> kFeatures{1.5F, -2, 0.25F, 1e-3F, 3, 4};
const std::vector<std::int64_t> kLabels{7, -1, 7};
const Rows kRows{{1.5F, -2, 1, 1}, {0.25F, 1e-3F, 0, 1}, {3, 4, 1, 1}};

class Hdf5 : public ::testing::Test {
 protected:
  Dataset rows(Settings settings = {}) {
    settings.emplace_back("data.train", path_);
    return load(settings).train;
  }
  std::string error(const Settings& settings = {}) {
    try {
      rows(settings);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kData);
      return error.what();
    }
    return "no error";
  }
  void expect_error(const std::string& what) {
    const std::string said = error();
    EXPECT_EQ(said.find(path_), 0U) << said;
    EXPECT_NE(said.find(what), std::string::npos) << said;
  }

  TemporaryFolder folder_;
  std::string path_ = (folder_.path() / "rows.h5").string();
};

TEST_F(Hdf5, DataSetsAreFoundByNameOrShape) {
  File(path_).add("x", {3, 2}, kFeatures).add("y", {3}, kLabels);
  EXPECT_EQ(all_rows(rows()), kRows);
  File(path_).add_group("a").add("ids", {3}, kLabels).add("x", {3, 2}, kFeatures).add("y", {3, 1}, kLabels);
  EXPECT_EQ(all_rows(rows()), kRows);
  File(path_).add("a", {2}, kFeatures).add("b", {3}, kLabels).add("c", {3, 2}, kFeatures).add_texts("d");
  EXPECT_EQ(all_rows(rows()), kRows);
  File(path_).add("images", {3, 1, 2}, kFeatures).add("labels", {3}, kLabels);
  EXPECT_EQ(all_rows(rows()), kRows);
}

TEST_F(Hdf5, LabelsAndWeightsMayBeColumns) {
  const std::vector<double> matrix{1.5, 7, 1, -2, 0.25, -1, 0.5, 1e-3, 3, 7, 2, 4};
  const Rows expected{{1.5F, -2, 1, 1}, {0.25F, 1e-3F, 0, 0.5F}, {3, 4, 1, 2}};
  File(path_).add("x", {3, 4}, matrix);
  EXPECT_EQ(all_rows(rows({{"data.label", "1"}, {"data.weight", "-2"}})), expected);
  File(path_).add("x", {3, 4}, matrix).add("y", {3}, kLabels);
  EXPECT_EQ(all_rows(rows({{"data.label", "1"}, {"data.weight", "2"}})), expected);
  EXPECT_EQ(rows().info().features, 4);
  File(path_).add("x", {3, 3}, std::vector<double>{1.5, -2, 7, 0.25, 1e-3, -1, 3, 4, 7});
  EXPECT_EQ(all_rows(rows()), kRows);
  EXPECT_NE(error({{"data.label", "3"}}).find("the file has 3 columns"), std::string::npos);
}

template <class Value>
std::vector<Value> some_values(std::size_t count) {
  std::mt19937 random(5);
  std::vector<Value> values(count);
  for (Value& value : values)
    value = static_cast<Value>(std::uniform_real_distribution<double>(0, 200)(random));
  return values;
}

TEST_F(Hdf5, NumbersAreThoseOfNumPyFiles) {
  constexpr int kCount = 50, kWidth = 6;
  std::vector<std::int64_t> labels(kCount);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i % 3);
  folder_.write("y_rows.npy", npy("<i8", "(50,)", bytes_of(labels)));
  const auto check = [&]<class Value>(const char* type, Value) {
    const auto values = some_values<Value>(kCount * kWidth);
    File(path_).add("x", {kCount, kWidth}, values, {7, 4}).add("y", {kCount}, labels);
    const std::string expected = folder_.write("X_rows.npy", npy(type, "(50, 6)", bytes_of(values)));
    for (const char* cache : {"off", "on"}) {
      LoadPlan plan;
      plan.cache_directory = folder_.path() / "cache";
      const Dataset a = load({{"data.train", expected}}).train;
      const Dataset b = load({{"data.train", path_}, {"data.cache", cache}}, plan).train;
      EXPECT_EQ(all_rows(a), all_rows(b)) << type;
      EXPECT_EQ(a.info().fingerprint, b.info().fingerprint) << type;
      EXPECT_EQ(a.rows_of(0).bytes, b.rows_of(0).bytes) << type;
    }
  };
  check("<f4", float{});
  check("<f8", double{});
  check("|u1", std::uint8_t{});
  check("<i2", std::int16_t{});
}

TEST_F(Hdf5, HalvesAreRead) {
  const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(half, 15, 10, 5, 0, 10);
  H5Tset_size(half, 2);
  H5Tset_ebias(half, 15);
  File(path_)
      .add("x", {3, 2}, std::vector<float>{1.5F, -2, 0.25F, 65504, 3, 4}, {}, half)
      .add("y", {3}, kLabels);
  H5Tclose(half);
  EXPECT_EQ(all_rows(rows()), (Rows{{1.5F, -2, 1, 1}, {0.25F, 65504, 0, 1}, {3, 4, 1, 1}}));
}

// Row i has features i, i + ½, …; written in deflated chunks that fit no piece and no shard.
class Hdf5OnRanks : public Hdf5 {
 protected:
  static constexpr int kCount = 101, kWidth = 5;

  Hdf5OnRanks() {
    std::vector<float> features;
    std::vector<std::int64_t> labels;
    for (int i = 0; i < kCount; ++i) {
      labels.push_back(i % 3);
      for (int j = 0; j < kWidth; ++j) features.push_back(static_cast<float>(i) + static_cast<float>(j) / 2);
    }
    File(path_).add("x", {kCount, kWidth}, features, {7, 2}).add("y", {kCount}, labels, {13});
  }

  void expect_row(const std::vector<float>& row, int i) const {
    ASSERT_EQ(row.size(), kWidth + 2U);
    for (int j = 0; j < kWidth; ++j) EXPECT_EQ(row[j], static_cast<float>(i) + static_cast<float>(j) / 2);
    EXPECT_EQ(row[kWidth], static_cast<float>(i % 3));
  }

  LoadPlan plan(Communicator& communicator) const {
    LoadPlan plan;
    plan.shards = kShards;
    plan.piece_bytes = 300;
    plan.communicator = &communicator;
    plan.hosted = {communicator.rank() * kShards / communicator.size(),
                   (communicator.rank() + 1) * kShards / communicator.size()};
    return plan;
  }
};

TEST_F(Hdf5OnRanks, ShardsTogetherAreTheFile) {
  std::optional<std::string> fingerprint, cache_bytes;
  for (const std::string cache : {"off", "folder"})
    for (const int ranks : {1, 2, 3, 6}) {
      const fs::path folder = folder_.path() / ("cache-" + std::to_string(ranks));
      std::vector<int> seen(kCount);
      std::mutex mutex;
      run_ranks(ranks, [&](Communicator& communicator) {
        const LoadPlan plan = this->plan(communicator);
        const Dataset data =
            load({{"data.train", path_}, {"data.cache", cache == "off" ? cache : folder.string()}}, plan)
                .train;
        EXPECT_EQ(data.info().rows, kCount);
        const std::lock_guard lock(mutex);
        EXPECT_EQ(fingerprint.value_or(data.info().fingerprint), data.info().fingerprint);
        fingerprint = data.info().fingerprint;
        for (int i = 0; i < kCount; ++i) {
          if (i % kShards < plan.hosted.first || i % kShards >= plan.hosted.last) continue;
          expect_row(row_of(data, i), i);
          ++seen[static_cast<std::size_t>(i)];
        }
      });
      EXPECT_EQ(seen, std::vector<int>(kCount, 1));
      if (cache == "off") continue;
      ASSERT_TRUE(fs::exists(folder));
      const std::string bytes = read_file(fs::directory_iterator(folder)->path());
      EXPECT_EQ(cache_bytes.value_or(bytes), bytes) << ranks << " ranks";
      cache_bytes = bytes;
    }
}

TEST_F(Hdf5OnRanks, PiecesTogetherAreTheFile) {
  const Dataset trained = rows();
  const TrainedSchema schema = schema_of(trained);
  const Options options = make_options({});
  const Registry<FormatRow> formats = format_registry();
  for (const int ranks : {1, 2, 3}) {
    Rows all(kCount);
    std::vector<Index> rows_of_rank(static_cast<std::size_t>(ranks));
    run_ranks(ranks, [&](Communicator& communicator) {
      RoundsRequest request{schema, path_, options, formats};
      request.needs_labels = true;
      request.piece_bytes = 300;
      Index& mine = rows_of_rank[static_cast<std::size_t>(communicator.rank())];
      for_each_round(communicator, request, [&](const Dataset* piece, const BadRows&) {
        for (Index i = 0; piece != nullptr && i < piece->info().rows; ++i, ++mine) {
          const std::vector<float> row = row_of(*piece, i);
          all.at(static_cast<std::size_t>(row[0])) = row;
        }
      });
    });
    for (int i = 0; i < kCount; ++i) expect_row(all[static_cast<std::size_t>(i)], i);
    for (const Index count : rows_of_rank) EXPECT_GE(count, kCount / ranks - 28) << "a piece has 14 rows";
    EXPECT_EQ(std::accumulate(rows_of_rank.begin(), rows_of_rank.end(), Index{0}), kCount);
  }
}

TEST_F(Hdf5, FilesOfAListAreOne) {
  const std::string other = (folder_.path() / "more.h5").string();
  File(path_).add("x", {3, 2}, kFeatures).add("y", {3}, kLabels);
  File(other).add("x", {1, 2}, std::vector<double>{8, 9}).add("y", {1}, std::vector<float>{-1});
  Rows expected = kRows;
  expected.push_back({8, 9, 0, 1});
  const std::string both = path_ + "," + other, cache = (folder_.path() / "cache").string();
  for (const std::string& where : {std::string("off"), cache})
    EXPECT_EQ(all_rows(load({{"data.train", both}, {"data.cache", where}}).train), expected);
  File(other).add("x", {1, 2}, std::vector<double>{8, 9});  // the last column would be the label
  for (const std::string& where : {std::string("off"), cache}) {
    try {
      load({{"data.train", both}, {"data.cache", where}});
      ADD_FAILURE() << "it was read";
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).find(other + ": "), 0U) << error.what();
    }
  }
}

TEST_F(Hdf5, RowsWithValuesThatAreNotFiniteAreRefusedOrSkipped) {
  const double huge = 1e300;  // beyond float
  File(path_)
      .add("x", {3, 2}, std::vector<double>{1.5, -2, 1, huge, 3, 4})
      .add("y", {3}, std::vector<float>{7, -1, 8});
  expect_error("rows.h5:2:2: data set x: the value is NaN or infinite");
  const Dataset data = rows({{"data.on_bad_row", "skip"}});
  EXPECT_EQ(data.info().bad_rows, 1);
  EXPECT_EQ(data.info().rows, 2);
  EXPECT_EQ(row_of(data, 1)[0], 3);
  File(path_).add("x", {3, 2}, kFeatures).add("y", {3}, std::vector<float>{1, 2, std::nanf("")});
  expect_error("rows.h5:3:1: data set y: the label is NaN");
}

TEST_F(Hdf5, WhatIsWrongIsToldWithFileAndDataSet) {
  File(path_).add("x", {3, 2}, kFeatures).add("y", {2}, kLabels);
  expect_error("data set y has 2 labels, x has 3 rows");
  File(path_).add_texts("x").add("y", {3}, kLabels);
  expect_error("data set x has values that are no numbers");
  File(path_).add("x", {0, 2}, std::vector<float>{}).add("y", {0}, std::vector<float>{});
  expect_error("data set x has no rows");
  File(path_).add("x", {hsize_t{1} << 40, 2}, std::vector<float>{}, {1024, 2}).add("y", {3}, kLabels);
  expect_error("data set x");
  File(path_).add("x", {3, hsize_t{1} << 40}, std::vector<float>{}, {1, 1024});
  expect_error("data set x has more than 2^24 values in a row");
  File(path_).add("x", {1 << 20, 2}, std::vector<float>{}, {1024, 2});
  expect_error("data set x has a shape, but no values were written");
  File(path_).add_group("x");
  expect_error("has no data set x in its root group");
  File(path_).add("x", {3, 2}, kFeatures).add("y", {3}, kLabels);
  const std::string good = read_file(path_);
  for (const std::size_t size : {std::size_t{8}, std::size_t{100}, good.size() / 2, good.size() - 1}) {
    folder_.write("rows.h5", good.substr(0, size));
    expect_error("rows.h5: cannot be opened as HDF5: ");
  }
}

// Memory is asked for by what is in the file: 4 TB are announced, and its first row is refused.
TEST_F(Hdf5, AFileThatAnnouncesMoreThanItHoldsTakesNoMemoryForIt) {
  constexpr hsize_t kAnnounced = hsize_t{1} << 34;
  File(path_)
      .add_start("x", {kAnnounced, 64}, {1024, 64}, std::nanf(""))
      .add_start("y", {kAnnounced}, {1024}, 1);
  expect_error("rows.h5:1:1: data set x: the value is NaN or infinite");
}

TEST_F(Hdf5, ADamagedChunkNamesItsDataSet) {
  const std::vector<float> features = some_values<float>(2000);
  File(path_).add("x", {1000, 2}, features, {500, 2}).add("y", {1000}, some_values<float>(1000));
  std::string bytes = read_file(path_);
  std::size_t at = bytes.find("\x78\x5e");  // where zlib's deflated text begins
  ASSERT_NE(at, std::string::npos);
  for (std::size_t i = 0; i < 64; ++i) bytes[at + 2 + i] = '\xFF';
  folder_.write("rows.h5", bytes);
  expect_error("data set ");
}

}  // namespace
}  // namespace lockstep::testing
