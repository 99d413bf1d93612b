// SPDX-License-Identifier: Apache-2.0
// Small files that ask for much time or memory.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zstd.h>

#include <chrono>
#include <locale>
#include <random>

#include "loading.h"

namespace lockstep::testing {
namespace {

std::string message_of(const std::string& content, const Settings& more = {}) {
  const TemporaryFolder folder;
  const std::string path = folder.write("bad", content);
  Settings settings{{"data.train", path}};
  settings.insert(settings.end(), more.begin(), more.end());
  try {
    load(settings);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kData);
    return std::string(error.what()).substr(path.size());
  }
  return "accepted";
}

// 1 GB of text in a file of 1 MB.
TEST(HostileInput, ALineWithoutEnd) {
  std::string piece = gzip(std::string(std::size_t{128} << 20, '7')), bomb;
  for (int i = 0; i < 8; ++i) bomb += piece;
  EXPECT_EQ(message_of(bomb, {{"data.format", "csv"}}), ":1:1: the line is longer than 64 MB");
  EXPECT_EQ(message_of(gzip("1,2,0\n") + bomb, {{"data.format", "csv"}}),
            ":2:1: the line is longer than 64 MB");
  EXPECT_EQ(message_of(gzip("1 1:2\n") + bomb, {{"data.format", "libsvm"}}),
            ":2:1: the line is longer than 64 MB");
}

// A header may not have memory before its bytes are there.
TEST(HostileInput, ArraysThatAnnounceMoreThanTheyInflateTo) {
  const auto zstd = [](const std::string& text) {
    std::string packed(ZSTD_compressBound(text.size()), '\0');
    packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 1));
    return packed;
  };
  std::string noise(1 << 18, '\0');  // makes the file large, and 8 GB possible
  std::mt19937 random(1);
  for (char& c : noise) c = static_cast<char>(random());
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  EXPECT_NE(
      message_of(zstd(npy("<f4", "(1, 2000000000)", noise))).find("truncated: the last row needs bytes"),
      std::string::npos);
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 200'000) << "kB";
}

TEST(HostileInput, HeadersOfNpyAreShort) {
  std::string header(2 << 20, ' ');
  std::string file = "\x93NUMPY";
  file += {2, 0, 0, 0, 0x20, 0};
  EXPECT_EQ(message_of(file + header), ": the NPY header is longer than 1 MiB");
}

TEST(HostileInput, EmptyArraysWithHugeSizes) {
  EXPECT_EQ(message_of(npy("<f4", "(0, 9999999999, 9999999999)", "")), ": has no rows");
  EXPECT_EQ(message_of(idx(8, {0, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, ""), {{"data.labels", "x"}}),
            ": has no rows");
}

// Weights, and sums for scaling, are made for all features up to the largest index.
TEST(HostileInput, OneIndexMakesNoGigabytes) {
  const std::string wide = "1 1:2\n0 2147483648:1\n";
  EXPECT_EQ(message_of(wide),
            ":2: index 2147483648 makes 2147483648 features for 2 rows; if they are meant, name "
            "their number by data.features");
  EXPECT_EQ(message_of(wide, {{"data.features", "2147483648"}}), "accepted");
  for (const Settings& scale : {Settings{{"data.scale", "minmax"}}, Settings{{"data.standardize", "true"}}})
    EXPECT_NE(message_of(wide, scale).find("are for sparse data of at most 4,194,304 columns"),
              std::string::npos);
}

// They were once taken out one by one, each time moving what follows.
TEST(HostileInput, DoubledQuotesInLinearTime) {
  const std::string field = "\"" + std::string(std::size_t{8} << 20, '"') + "\"";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(message_of("1,a\n2," + field + "\n", {{"data.format", "csv"}}), "accepted");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

// Whatever is quoted from a file in a message is short.
TEST(HostileInput, MessagesAreShort) {
  const std::string word(1 << 20, 'w');
  const Settings svm{{"data.format", "libsvm"}};
  for (const std::string& text : {"1 1:2\n" + word + ":1 1:3\n", "1 1:2\n0 " + word + "\n",
                                  "1 1:2\n" + word + ",b 1:3\n", "1 1:2\n0 1:" + word + "\n"})
    EXPECT_LT(message_of(text, svm).size(), 300U);
  EXPECT_LT(message_of("x," + word + ",y\n1,z,0\n2,3,1\n").size(), 300U);
}

struct Comma : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

TEST(HostileInput, NumbersHaveNoLocale) {
  const TemporaryFolder folder;
  const auto rows_of = [&](const std::string& text) {
    return all_rows(load({{"data.train", folder.write("t", text)}}).train);
  };
  const std::string csv = "1234.5,1e-3,0\n-0.25,12345678901234567890123,1\n", svm = "1 1:1234.5\n0 2:0.001\n";
  const auto dense = rows_of(csv), sparse = rows_of(svm);
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Comma));
  EXPECT_EQ(rows_of(csv), dense);
  EXPECT_EQ(rows_of(svm), sparse);
  std::locale::global(before);
}

}  // namespace
}  // namespace lockstep::testing
