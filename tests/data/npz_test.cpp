// SPDX-License-Identifier: Apache-2.0
// Archives of NumPy arrays give the rows of the arrays, stored or deflated; a damaged archive is refused.
#include <gtest/gtest.h>

#include <cmath>

#include "data/loading.h"

namespace lockstep::testing {
namespace {

using Rows = std::vector<std::vector<float>>;

struct Member {
  std::string name;
  std::string content;
};

std::string number(std::size_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, value >>= 8) text += static_cast<char>(value);
  return text;
}

std::string deflated(const std::string& text) {
  const std::string whole = gzip(text);
  return whole.substr(10, whole.size() - 18);  // without the head and the tail of gzip
}

/// As numpy.savez writes it: sizes of local headers are those of zip64.
std::string zip(const std::vector<Member>& members, bool deflates) {
  std::string archive, directory;
  for (const Member& member : members) {
    const std::string packed = deflates ? deflated(member.content) : member.content;
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(member.content.data()),
                           static_cast<uInt>(member.content.size()));
    const std::string start =
        number(45, 2) + number(0, 2) + number(deflates ? 8 : 0, 2) + number(0, 4) + number(sum, 4);
    directory += "PK\x01\x02" + number(45, 2) + start + number(packed.size(), 4) +
                 number(member.content.size(), 4) + number(member.name.size(), 2) + number(0, 12) +
                 number(archive.size(), 4) + member.name;
    archive += "PK\x03\x04" + start + number(0xFFFFFFFF, 4) + number(0xFFFFFFFF, 4) +
               number(member.name.size(), 2) + number(20, 2) + member.name + number(1, 2) + number(16, 2) +
               number(member.content.size(), 8) + number(packed.size(), 8) + packed;
  }
  return archive + directory + "PK\x05\x06" + number(0, 4) + number(members.size(), 2) +
         number(members.size(), 2) + number(directory.size(), 4) + number(archive.size(), 4) + number(0, 2);
}

const std::string kFeatures = npy("<f4", "(3, 2)", bytes_of<float>({1.5F, -2, 0.25F, 1e-3F, 3, 4}));
const std::string kLabels = npy("<i8", "(3,)", bytes_of<std::int64_t>({7, -1, 7}));
const Rows kRows{{1.5F, -2, 1, 1}, {0.25F, 1e-3F, 0, 1}, {3, 4, 1, 1}};

Dataset load_bytes(const std::string& bytes, Settings settings = {}) {
  const TemporaryFolder folder;
  settings.emplace_back("data.train", folder.write("rows.npz", bytes));
  return load(settings).train;
}

std::string error_of(const std::string& bytes, const Settings& settings = {}) {
  try {
    Settings all = settings;
    all.emplace_back("data.format", "npz");
    load_bytes(bytes, all);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kData);
    return error.what();
  }
  return "";
}

TEST(Npz, ArraysAreFoundByNameOrOrder) {
  for (const bool deflates : {false, true}) {
    EXPECT_EQ(all_rows(load_bytes(zip({{"x.npy", kFeatures}, {"y.npy", kLabels}}, deflates))), kRows);
    EXPECT_EQ(all_rows(load_bytes(
                  zip({{"y.npy", kLabels}, {"other.npy", kLabels}, {"x.npy", kFeatures}}, deflates))),
              kRows);
    EXPECT_EQ(all_rows(load_bytes(zip({{"arr_0.npy", kFeatures}, {"arr_1.npy", kLabels}}, deflates))), kRows);
    EXPECT_EQ(all_rows(load_bytes(zip({{"labels.npy", kLabels}, {"a.npy", kFeatures}}, deflates))), kRows);
  }
}

TEST(Npz, OneArrayHasItsLabelsInAColumn) {
  const std::string matrix = npy("<f8", "(3, 3)", bytes_of<double>({1.5, -2, 1, 0.25, 1e-3, 0, 3, 4, 1}));
  EXPECT_EQ(all_rows(load_bytes(zip({{"arr_0.npy", matrix}}, true))), kRows);
  EXPECT_EQ(all_rows(load_bytes(zip({{"x.npy", matrix}, {"y.npy", kLabels}}, true), {{"data.label", "2"}})),
            kRows);
}

TEST(Npz, RowsWithValuesThatAreNotFiniteAreSkippedOnDemand) {
  const std::string features = npy("<f4", "(3, 2)", bytes_of<float>({1.5F, -2, std::nanf(""), 1e-3F, 3, 4}));
  const std::string archive =
      zip({{"x.npy", features}, {"y.npy", npy("<i8", "(3,)", bytes_of<std::int64_t>({7, 1, 8}))}}, true);
  EXPECT_NE(error_of(archive).find("rows.npz[x.npy]:2:1: the value is NaN"), std::string::npos)
      << error_of(archive);
  const Dataset rows = load_bytes(archive, {{"data.on_bad_row", "skip"}});
  EXPECT_EQ(all_rows(rows), (Rows{{1.5F, -2, 0, 1}, {3, 4, 1, 1}}));
  EXPECT_EQ(rows.info().bad_rows, 1);
  EXPECT_NE(rows.info().warnings.at(0).find("rows.npz[x.npy]:2:1: "), std::string::npos);

  const std::string labels = npy("<f4", "(3,)", bytes_of<float>({7, 1, INFINITY}));
  const std::string of_labels = zip({{"x.npy", kFeatures}, {"y.npy", labels}}, true);
  EXPECT_NE(error_of(of_labels).find("rows.npz[y.npy]:3:1: the label is NaN or infinite"), std::string::npos)
      << error_of(of_labels);
  EXPECT_EQ(all_rows(load_bytes(of_labels, {{"data.on_bad_row", "skip"}})),
            (Rows{{1.5F, -2, 1, 1}, {0.25F, 1e-3F, 0, 1}}));
}

TEST(Npz, DamagedArchivesAreRefused) {
  const std::vector<Member> members{{"x.npy", kFeatures}, {"y.npy", kLabels}};
  const std::string good = zip(members, false);
  const auto changed = [&](std::size_t at, const std::string& bytes) {
    std::string text = good;
    return text.replace(at, bytes.size(), bytes);
  };
  const std::size_t entry = good.find("PK\x01\x02"), end = good.find("PK\x05\x06");
  struct Case {
    std::string bytes, what;
  };
  for (const Case& one :
       {Case{good.substr(0, good.size() - 1), "no directory at its end"},
        Case{good.substr(100), "directory is malformed"},
        Case{changed(good.find("NUMPY") + 127, "\x7F"), "check sum"},
        Case{changed(entry + 8, "\x01"), "encrypted"}, Case{changed(entry + 10, "\x0C"), "method 12"},
        Case{changed(entry + 20, number(0xFFFFFFFF, 4)), "zip64"},
        Case{changed(entry + 20, number(0x7FFFFFFF, 4)), "more bytes than"},
        Case{changed(entry + 24, number(5, 4)), "more bytes than"},
        Case{changed(entry + 28, number(60000, 2)), "directory is malformed"},
        Case{changed(entry + 42, number(7, 4)), "not where"},
        Case{changed(end + 10, number(0xFFFF, 2)), "zip64"},
        Case{changed(end + 16, number(0xFFFFFF, 4)), "directory is malformed"},
        Case{zip({{"readme.txt", "text"}}, true), "without an .npy array"}}) {
    EXPECT_NE(error_of(one.bytes).find(one.what), std::string::npos)
        << one.what << ": " << error_of(one.bytes);
  }
  std::string inflated = zip(members, true);
  inflated.replace(inflated.find("PK\x01\x02") + 24, 4, number(0x7FFFFFFF, 4));
  EXPECT_NE(error_of(inflated).find("more bytes than"), std::string::npos) << error_of(inflated);
  EXPECT_NE(error_of(zip({{"x.npy", kFeatures}, {"y.npy", kFeatures}}, true)).find("6 labels"),
            std::string::npos);
}

// Nothing a byte does may crash the reader; most are noticed, the rest are names and times.
TEST(Npz, AnyChangedByteIsRefusedOrHarmless) {
  for (const bool deflates : {false, true}) {
    const std::string good = zip({{"x.npy", kFeatures}, {"y.npy", kLabels}}, deflates);
    for (std::size_t at = 0; at < good.size(); at += 3) {
      std::string bytes = good;
      bytes[at] = static_cast<char>(bytes[at] ^ 0x41);
      try {
        const Dataset rows = load_bytes(bytes, {{"data.format", "npz"}});
        EXPECT_EQ(rows.info().rows, 3) << at;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::kData) << at;
      }
    }
  }
}

}  // namespace
}  // namespace lockstep::testing
