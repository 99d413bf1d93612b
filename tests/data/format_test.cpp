// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>

#include "data/numbers.h"
#include "data/text_reader.h"
#include "loading.h"

namespace lockstep::testing {
namespace {

using Rows = std::vector<std::vector<float>>;

Dataset load_text(const std::string& text, Settings settings = {}, Task task = Task::kClassification) {
  const TemporaryFolder folder;
  settings.emplace_back("data.train", folder.write("train.txt", text));
  return load(settings, {task, 1, {0, 1}}).train;
}

// The last two numbers of a row are label and weight.
const Rows kRows = {{1.5F, -2, 1, 1}, {0.25F, 1e-3F, 0, 1}, {3, 4, 1, 1}};

TEST(Csv, TextBecomesRows) {
  for (const char* text :
       {"1.5,-2,7\n.25,1e-3,-1\n3,4,7\n", "1.5;-2;7\n.25;1e-3;-1\n3;4;7\n",
        "1.5\t-2\t7\n.25\t1e-3\t-1\n3\t4\t7\n", "1.5,-2,7\r\n.25,1e-3,-1\r\n3,4,7\r\n",
        "\xEF\xBB\xBF"
        "1.5,-2,7\n.25,1e-3,-1\n3,4,7",
        "1.5, -2 ,7\n\n+.25,\"1e-3\",-1\n\n3,4,+7.0\n\n", "a,b,y\n1.5,-2,7\n.25,1e-3,-1\n3,4,7\n",
        "\"a\",\"b, c\",y\n1.5,-2,7\n.25,1e-3,-1\n3,4,7"}) {
    EXPECT_EQ(all_rows(load_text(text)), kRows) << text;
    EXPECT_EQ(all_rows(load_text(gzip(text))), kRows) << "gzip of " << text;
  }
  EXPECT_EQ(load_text("1.5,-2,7\n.25,1e-3,-1\n").info().classes, (std::vector<std::string>{"-1", "7"}));
}

TEST(Csv, LabelColumnByNameNumberOrHabit) {
  EXPECT_EQ(all_rows(load_text("a,label,b\n1.5,7,-2\n.25,-1,1e-3\n3,7,4\n")), kRows);
  EXPECT_EQ(all_rows(load_text("a,kind,b\n1.5,7,-2\n.25,-1,1e-3\n3,7,4\n", {{"data.label", "kind"}})), kRows);
  EXPECT_EQ(all_rows(load_text("1.5,7,-2\n.25,-1,1e-3\n3,7,4\n", {{"data.label", "1"}})), kRows);
  EXPECT_EQ(all_rows(load_text("1.5,7,-2\n.25,-1,1e-3\n3,7,4\n", {{"data.label", "-2"}})), kRows);
  const Dataset named = load_text("a,label,b\n1,x,2\n3,y,4\n");
  EXPECT_EQ(named.info().feature_names, (std::vector<std::string>{"a", "b"}));
}

TEST(Csv, WordsAreClassesSortedByName) {
  const Dataset data = load_text("1,pear\n2,\"apple \"\"red\"\"\"\n3,10\n4,9\n");
  EXPECT_EQ(data.info().classes, (std::vector<std::string>{"10", "9", "apple \"red\"", "pear"}));
  EXPECT_EQ(load_text("1,10\n2,9\n3,9.0\n").info().classes, (std::vector<std::string>{"9", "10"}));
  EXPECT_EQ(data.rows_of(0).labels, (LargeVector<float>{3, 2, 0, 1}));
}

TEST(Csv, WeightColumn) {
  const Dataset data = load_text("x,w,y\n1,2,0\n3,0.5,1\n5,0,1\n", {{"data.weight", "w"}});
  EXPECT_EQ(all_rows(data), (Rows{{1, 0, 2}, {3, 1, 0.5F}, {5, 1, 0}}));
  EXPECT_EQ(data.info().total_weight, 2.5);
}

TEST(Libsvm, TextBecomesRows) {
  for (const char* text :
       {"+1 1:1.5 2:-2\n-1 1:.25 2:1e-3\n1 1:3 2:4\n", "+1 0:1.5 1:-2\n-1 0:.25 1:1e-3\n1 0:3 1:4",
        "# comment\n+1\t1:1.5  2:-2 # more 9:9\r\n\r\n-1 1:+.25 2:1e-3\r\n1 1:3 2:4 \r\n"}) {
    EXPECT_EQ(all_rows(load_text(text)), kRows) << text;
    EXPECT_EQ(all_rows(load_text(gzip(text))), kRows) << "gzip of " << text;
  }
}

// The base is a property of the whole file (trap 11): one row with a 0 settles it for all.
TEST(Libsvm, IndexBaseIsSettledForAllFiles) {
  const TemporaryFolder folder;
  const DataSets sets = load(
      {{"data.train", folder.write("a", "1 1:5 2:6\n0 0:4\n")}, {"data.test", folder.write("b", "1 1:7\n")}});
  EXPECT_EQ(all_rows(sets.train), (Rows{{0, 5, 6, 1, 1}, {4, 0, 0, 0, 1}}));
  EXPECT_EQ(all_rows(*sets.test), (Rows{{0, 7, 0, 1, 1}}));
}

TEST(Libsvm, RowsWithoutFeaturesAndFixedWidth) {
  const Dataset data = load_text("1 2:5\n0\n1 1:3\n", {{"data.features", "4"}});
  EXPECT_EQ(all_rows(data), (Rows{{0, 5, 0, 0, 1, 1}, {0, 0, 0, 0, 0, 1}, {3, 0, 0, 0, 1, 1}}));
}

// Trap 33: the largest index there may be. Nothing of its size is allocated; but weights would be, so two
// rows may only have it where somebody says so (hostile_input_test.cpp).
TEST(Libsvm, TheLargestIndexGivesTwoToThe31Features) {
  const Settings meant{{"data.features", "2147483648"}};
  EXPECT_EQ(load_text("1 2147483648:5\n0 1:1\n", meant).info().features, Index{1} << 31);
}

TEST(Idx, BytesStayBytes) {
  const TemporaryFolder folder;
  const std::string images = idx(8, {2, 1, 3}, std::string("\x00\x33\xFF\x01\x02\x03", 6));
  folder.write("train-labels-idx1-ubyte", idx(8, {2}, std::string("\x04\x02", 2)));
  for (const std::string& content : {images, gzip(images)}) {
    const Settings settings{{"data.train", folder.write("train-images-idx3-ubyte", content)}};
    const Dataset data = load(settings).train;
    EXPECT_EQ(data.rows_of(0).bytes, (LargeVector<std::uint8_t>{0, 0x33, 0xFF, 1, 2, 3}));
    EXPECT_TRUE(data.rows_of(0).dense.empty());
    EXPECT_EQ(data.preprocessing().scale, (std::vector<float>{1.0F / 255}));
    EXPECT_EQ(data.info().classes, (std::vector<std::string>{"2", "4"}));
    Settings raw = settings;
    raw.emplace_back("data.scale", "none");
    EXPECT_EQ(row_of(load(raw).train, 0), (std::vector<float>{0, 0x33, 0xFF, 1, 1}));
  }
}

TEST(Idx, FloatsAndNamedLabels) {
  const TemporaryFolder folder;
  const std::string values("\x3F\x80\x00\x00\xC0\x00\x00\x00", 8);  // 1, −2
  const Settings settings{{"data.train", folder.write("a", idx(13, {2, 1}, values))},
                          {"data.labels", folder.write("b", idx(8, {2}, std::string("\x00\x01", 2)))}};
  EXPECT_EQ(all_rows(load(settings).train), (Rows{{1, 0, 1}, {-2, 1, 1}}));
}

TEST(Npy, MatrixWithLabelColumnOrFile) {
  const TemporaryFolder folder;
  const std::string matrix = npy("<f8", "(3, 3)", bytes_of<double>({1.5, -2, 1, 0.25, 1e-3, 0, 3, 4, 1}));
  EXPECT_EQ(all_rows(load({{"data.train", folder.write("a.npy", matrix)}}).train), kRows);
  folder.write("y_t.npy", gzip(npy("<i8", "(3,)", bytes_of<std::int64_t>({7, -1, 7}))));
  const std::string features = npy("<f4", "(3, 2)", bytes_of<float>({1.5F, -2, 0.25F, 1e-3F, 3, 4}));
  EXPECT_EQ(all_rows(load({{"data.train", folder.write("X_t.npy", features)}}).train), kRows);
  const std::string bytes = npy("|u1", "(3, 1, 2)", std::string("\x01\x02\x03\x04\x05\x06", 6));
  EXPECT_EQ(load({{"data.train", folder.write("X_t.npy", bytes)}}).train.rows_of(0).bytes.size(), 6U);
}

TEST(Regression, LabelsAreNumbers) {
  const Dataset data = load_text("1,2.5\n2,-1e3\n", {}, Task::kRegression);
  EXPECT_EQ(data.rows_of(0).labels, (LargeVector<float>{2.5F, -1000}));
  EXPECT_EQ(data.info().label_mean, -498.75);
  EXPECT_TRUE(data.info().classes.empty());
}

// The short cut must give the float that from_chars gives.
TEST(Numbers, ShortCutEqualsFromChars) {
  std::mt19937 random(7);
  for (int i = 0; i < 200000; ++i) {
    std::string text = std::to_string(random() % (1U << (random() % 31)));
    const std::size_t point = random() % (text.size() + 1);
    if (random() % 4 != 0) text.insert(point, ".");
    if (random() % 3 == 0) text.insert(0, "-");
    if (random() % 8 == 0) text += "e" + std::to_string(static_cast<int>(random() % 90) - 45);
    float expected = 0, found = 1;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), expected);
    if (result.ec == std::errc::result_out_of_range) continue;
    ASSERT_EQ(read_number(text.data(), text.data() + text.size(), found), result.ptr) << text;
    ASSERT_EQ(found, expected) << text;
  }
}

TEST(Numbers, TinyIsZeroAndHugeIsInfinite) {
  const auto read = [](const std::string& text) {
    float value = 1;
    return read_number(text.data(), text.data() + text.size(), value) == nullptr ? -1 : value;
  };
  EXPECT_EQ(read("1e-60"), 0);
  EXPECT_EQ(read("1e-600"), 0);
  EXPECT_TRUE(std::isinf(read("1e60")));
  EXPECT_TRUE(std::isinf(read("1e600")));
  EXPECT_EQ(read("1e-45"), 1e-45F);
  EXPECT_EQ(read("--1"), -1);
  EXPECT_EQ(read("+-1"), -1);
}

TEST(TextReader, LinesAcrossBlocks) {
  const TemporaryFolder folder;
  std::string text;
  std::vector<std::string> lines;
  for (int i = 0; i < 60; ++i)
    lines.emplace_back(static_cast<std::size_t>(i) * 4001, static_cast<char>('a' + i % 26));
  for (const std::string& line : lines) text += line + "\n";
  lines.emplace_back(3 << 20, 'z');
  text += lines.back();
  TextReader reader(folder.write("t", text));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    ASSERT_TRUE(reader.next());
    ASSERT_EQ(reader.line(), lines[i]);
    EXPECT_EQ(reader.number(), static_cast<Index>(i) + 1);
  }
  EXPECT_FALSE(reader.next());
}

}  // namespace
}  // namespace lockstep::testing
