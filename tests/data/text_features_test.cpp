// SPDX-License-Identifier: Apache-2.0
// Missing values, categories, hashed features, label:weight, libffm and bad rows. That they come out the same
// from a cache file, for any number of ranks and any cut of the text, is in cache_test.cpp.
#include <gtest/gtest.h>

#include <map>

#include "data/column_encoder.h"
#include "data/feature_hash.h"
#include "data/slot_count.h"
#include "loading.h"

namespace lockstep::testing {
namespace {

using Rows = std::vector<std::vector<float>>;

const std::string kHint = " (to train with missing values, set data.missing to mean, zero or indicator)";

class TextFeatures : public ::testing::Test {
 protected:
  DataSets read(const std::string& text, Settings settings, Task task = Task::kClassification) {
    settings.emplace_back("data.train", folder_.write("rows", text));
    LoadPlan plan;
    plan.task = task;
    plan.shards = 2;
    plan.hosted = {0, 2};
    return load(settings, plan);
  }
  Rows rows(const std::string& text, const Settings& settings, Task task = Task::kClassification) {
    return all_rows(read(text, settings, task).train);
  }
  std::string error(const std::string& text, const Settings& settings) {
    try {
      read(text, settings);
    } catch (const Error& caught) {
      const std::string what = caught.what();
      const auto place = what.find("rows:");
      return place == std::string::npos ? what : what.substr(place + 4);
    }
    return "accepted";
  }
  Rows others(const DataSets& sets, const std::string& text, const Settings& settings) {
    const Options options = make_options(settings);
    return all_rows(load_dataset_for(schema_of(sets.train), folder_.write("other", text), false, options,
                                     format_registry(), {}));
  }

  TemporaryFolder folder_;
};

struct BadKind {
  std::string line;
  std::string what;
};

// Every kind of line that is no row.
std::vector<BadKind> bad_csv() {
  return {{"1,x,0", ":3: field 2 (b): \"x\" is not a number"},
          {"1,2", ":1: the line has 2 fields"},
          {"1,2,3,0", ":1: the line has 4 fields"},
          {"1,2,", ":5: the label is empty"},
          {",2,0", ":1: field 1 (a): empty"},
          {"1,nan,0", ":3: field 2 (b): \"nan\" is NaN"},
          {"1,inf,0", ":3: field 2 (b): \"inf\" is infinite"},
          {"1,1e99,0", ":3: field 2 (b): \"1e99\" is infinite or too large"},
          {"1,2,inf", ":5: label \"inf\" is infinite"},
          {"1,\"2,0", ":3: the quote is not closed"},
          {"1,\"2\"3,0", ":6: text behind a closing quote"},
          {std::string("1,\0,0", 5), ":3: a NUL byte"}};
}

std::vector<BadKind> bad_libsvm() {
  return {{"1 2:x", ":5: value of feature 2: \"x\" is not a number"},
          {"1 2:", ":5: value of feature 2: empty"},
          {"1 2", ":3: \"2\" is not of the form index:value"},
          {"1 3:1 2:1", ":7: index 2 follows 3"},
          {"1 3:1 3:1", ":7: index 3 stands twice"},
          {"1 -3:1", ":3: index -3 is negative"},
          {"1 2147483649:1", ":3: index 2147483649 is above"},
          {"1 99999999999999999999:1", ":3: index in"},
          {"1 qid:3 1:1", ":3: \"qid:3\": ranking data"},
          {"1,2 1:1", ":1: label \"1,2\" has a decimal comma"},
          {"inf 1:1", ":1: label \"inf\" is infinite"},
          {"1:2 3:4", ":1: the line starts with \"1:2\""},
          {std::string("1 \0:1", 6), ":3: a NUL byte"}};
}

// A good row behind every `period` bad ones.
std::string mixed(const std::vector<BadKind>& kinds, const std::string& good, std::size_t lines,
                  std::size_t period) {
  std::string text;
  for (std::size_t i = 0; i < lines; ++i) {
    text += kinds[i % kinds.size()].line + "\n";
    if (i % period == 0) text += good + std::to_string(i) + "\n";
  }
  return text;
}

TEST_F(TextFeatures, EveryKindOfBadRowIsRefusedOrSkipped) {
  const Settings csv{{"data.format", "csv"}}, svm{{"data.format", "libsvm"}};
  for (const auto& [kinds, head, settings] : {std::tuple(bad_csv(), "a,b,label\n1,2,0\n1,2,1\n", csv),
                                              std::tuple(bad_libsvm(), "0 1:2\n1 1:2\n# x\n", svm)})
    for (const BadKind& kind : kinds) {
      const std::string text = head + kind.line + "\n" + (settings == csv ? "5,6,1\n" : "1 5:1\n");
      EXPECT_EQ(error(text, settings).substr(0, 2 + kind.what.size()), ":4" + kind.what);
      Settings skipping = settings;
      skipping.emplace_back("data.on_bad_row", "skip");
      const DataSets sets = read(text, skipping);
      EXPECT_EQ(sets.train.info().rows, 3) << kind.line;
      EXPECT_EQ(sets.train.info().bad_rows, 1);
      ASSERT_EQ(sets.train.info().warnings.size(), 1U);
      EXPECT_NE(sets.train.info().warnings[0].find(":4" + kind.what), std::string::npos);
    }
}

TEST_F(TextFeatures, TheFirstTwentyBadRowsAreNamedAndAllAreCounted) {
  const std::string text = "a,b,label\n" + mixed(bad_csv(), "1,2,", 2000, 10);
  const DataSets sets = read(text, {{"data.format", "csv"}, {"data.on_bad_row", "skip"}});
  EXPECT_EQ(sets.train.info().rows, 200);
  EXPECT_EQ(sets.train.info().bad_rows, 2000);
  const std::string warning = sets.train.info().warnings.at(0);
  EXPECT_EQ(std::count(warning.begin(), warning.end(), '\n'), 20) << warning;
  EXPECT_NE(warning.find("rows:23:"), std::string::npos) << warning;
  EXPECT_EQ(warning.find("rows:24:"), std::string::npos) << warning;
  EXPECT_NE(error("a,b,label\n1,x,2\n", {{"data.on_bad_row", "skip"}}).find("has no rows; 1 row was wrong"),
            std::string::npos);
}

TEST_F(TextFeatures, TextsOfBadRowsAreNoClassesAndNoCategories) {
  const DataSets sets =
      read("a,label,b,c\n1,x,2,red\n1,y,2,blue\n1,never,2x,red\n1,x,2x,green\n",
           {{"data.on_bad_row", "skip"}, {"data.category_columns", "c"}, {"data.categories", "onehot"}});
  EXPECT_EQ(sets.train.info().classes, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(sets.train.info().feature_names, (std::vector<std::string>{"a", "b", "c=blue", "c=red"}));
}

TEST_F(TextFeatures, MissingValues) {
  const std::string text = "a,b,y\n1,2,0\n,4,1\n3,NA,0\nn/a,?,1\n5,Null,1\n";
  EXPECT_EQ(error(text, {}), ":3:1: field 1 (a): empty, a number was expected" + kHint);
  EXPECT_EQ(rows(text, {{"data.missing", "mean"}}),
            (Rows{{1, 2, 0, 1}, {3, 4, 1, 1}, {3, 3, 0, 1}, {3, 3, 1, 1}, {5, 3, 1, 1}}));
  EXPECT_EQ(rows(text, {{"data.missing", "zero"}}),
            (Rows{{1, 2, 0, 1}, {0, 4, 1, 1}, {3, 0, 0, 1}, {0, 0, 1, 1}, {5, 0, 1, 1}}));
  const DataSets sets = read("a,b,y\n1,2,0\n,4,1\n", {{"data.missing", "indicator"}});
  EXPECT_EQ(sets.train.info().feature_names, (std::vector<std::string>{"a", "b", "a is missing"}));
  EXPECT_EQ(all_rows(sets.train), (Rows{{1, 2, 0, 0, 1}, {0, 4, 1, 1, 1}}));
}

// Law: a word that means a missing value makes no column one of categories, and is refused like an empty
// field.
TEST_F(TextFeatures, MissingValuesAreRefused) {
  for (const char* kind : {"refuse", "onehot", "embed"})
    for (const char* word : {"NA", "n/a", "null", "?"})
      EXPECT_EQ(error("a,b,y\n1,2,0\n" + std::string(word) + ",4,1\n", {{"data.categories", kind}}),
                ":3:1: field 1 (a): \"" + std::string(word) + "\" is not a number" + kHint);
  EXPECT_EQ(error("1,2,0\n2,nan,1\n", {{"data.categories", "onehot"}}),
            ":2:3: field 2: \"nan\" is NaN, a finite number was expected" + kHint);
  const std::string words = "c,x,y\nred,1,0\n", what = ":3:1: field 1 (c): ";
  const Settings onehot{{"data.categories", "onehot"}};
  EXPECT_EQ(error(words + "NA,1,1\n", onehot),
            what + "\"NA\" means a missing value, a category was expected" + kHint);
  EXPECT_EQ(error(words + ",1,1\n", onehot), what + "empty, a category was expected" + kHint);
  EXPECT_EQ(error(words + "?,1,1\n", {{"data.categories", "hash"}, {"data.hash_bits", "6"}}),
            what + "\"?\" means a missing value, a number or a category was expected" + kHint);
  EXPECT_EQ(rows(words + "NA,NA,1\n", {{"data.categories", "onehot"}, {"data.missing", "zero"}}),
            (Rows{{1, 1, 0, 1}, {0, 0, 1, 1}}));
}

// Law: means and statistics are those of the values that are there, weighted by the training rows.
TEST_F(TextFeatures, MeansAreThoseOfTheTrainingRows) {
  const Settings settings{{"data.missing", "mean"}, {"data.weight", "w"}};
  const DataSets sets = read("a,w,y\n1,3,0\nNA,1,1\n5,1,0\nnan,0,0\n", settings);
  EXPECT_EQ(row_of(sets.train, 1), (std::vector<float>{2, 1, 1}));  // (3·1 + 1·5) / 4
  EXPECT_EQ(others(sets, "a,w\n,1\n7,1\n", settings), (Rows{{2, 0, 1}, {7, 0, 1}}));
  Settings standardized = settings;
  standardized.emplace_back("data.standardize", "true");
  const DataSets scaled = read("a,w,y\n,3,0\n1,1,0\n5,1,1\n,1,0\n", standardized);
  EXPECT_EQ(all_rows(scaled.train), (Rows{{0, 0, 3}, {-1, 0, 1}, {1, 1, 1}, {0, 0, 1}}));
  EXPECT_EQ(rows("a,y\n,0\n1,0\n5,1\n", {{"data.missing", "zero"}, {"data.scale", "minmax"}}),
            (Rows{{-0.25F, 0, 1}, {0, 0, 1}, {1, 1, 1}}));
  EXPECT_EQ(rows("a,b,y\n,1,0\n,2,1\n", {{"data.missing", "mean"}, {"data.scale", "minmax"}}),
            (Rows{{0, 0, 0, 1}, {0, 1, 1, 1}}));
}

TEST_F(TextFeatures, CategoriesOneHot) {
  const std::string text = "c,x,y\nred,1,0\n blue ,2,1\n\"red\",3,0\n";
  EXPECT_EQ(error(text, {}), ":2:1: field 1 (c): \"red\" is not a number");
  const Settings settings{{"data.categories", "onehot"}};
  const DataSets sets = read(text, settings);
  EXPECT_EQ(sets.train.info().feature_names, (std::vector<std::string>{"c=blue", "c=red", "x"}));
  EXPECT_EQ(all_rows(sets.train), (Rows{{0, 1, 1, 0, 1}, {1, 0, 2, 1, 1}, {0, 1, 3, 0, 1}}));
  EXPECT_TRUE(sets.train.info().categories.empty());
  EXPECT_EQ(others(sets, "c,x\ngreen,1\n7,2\nred,3\n", settings),
            (Rows{{0, 0, 1, 0, 1}, {0, 0, 2, 0, 1}, {0, 1, 3, 0, 1}}));
  // Without a header, by number, together with a missing category and scaling of numbers alone.
  EXPECT_EQ(rows("3,10,0\n4,20,1\n?,20,1\n", {{"data.categories", "onehot"},
                                              {"data.category_columns", "0"},
                                              {"data.missing", "indicator"},
                                              {"data.scale", "0.1"}}),
            (Rows{{1, 0, 1, 0, 0, 1}, {0, 1, 2, 0, 1, 1}, {0, 0, 2, 1, 1, 1}}));
}

TEST_F(TextFeatures, WordsOfTheFirstThousandLinesMakeCategories) {
  std::string text = "c,x,y\n";
  for (int i = 2; i <= 1000; ++i)
    text += (i == 999 ? "red," : "7,") + std::string(300, '1') + "e-300," + (i % 2 == 0 ? "0\n" : "1\n");
  const Settings settings{{"data.categories", "onehot"}};
  EXPECT_EQ(read(text, settings).train.info().feature_names, (std::vector<std::string>{"c=7", "c=red", "x"}));
  EXPECT_EQ(error(text.insert(6, "8,1,0\n9,1,1\n"), settings),
            ":1001:1: field 1 (c): \"red\" is not a number");
}

// Law: a table too wide for dense rows has the same rows, sparse.
TEST_F(TextFeatures, ManyCategoriesAreSparse) {
  std::string text = "x,c,y\n";
  for (int i = 0; i < 1100; ++i)
    text += std::to_string(i) + ",c" + std::to_string(i % 1030) + "," + (i % 2 == 0 ? "0\n" : "1\n");
  const Settings settings{{"data.categories", "onehot"}, {"data.standardize", "true"}};
  const DataSets sets = read(text, settings);
  EXPECT_TRUE(sets.train.info().is_sparse);
  EXPECT_EQ(sets.train.info().features, 1031);
  std::map<std::string, std::size_t> places;
  for (std::size_t j = 0; j < 1031; ++j) places[sets.train.info().feature_names[j]] = j;
  for (Index i = 0; i < 1100; ++i) {
    const std::vector<float> row = row_of(sets.train, i);
    EXPECT_EQ(row[places.at("c=c" + std::to_string(i % 1030))], 1);
    EXPECT_EQ(std::count_if(row.begin() + 1, row.begin() + 1031, [](float x) { return x != 0; }), 1);
  }
  const std::vector<float> unknown = others(sets, "x,c\n0,c5\n0,unknown\n", settings)[1];
  EXPECT_EQ(unknown, [] {
    std::vector<float> zeros(1033);
    zeros.back() = 1;  // the weight
    return zeros;
  }());
}

TEST_F(TextFeatures, CategoriesEmbedded) {
  const Settings settings{
      {"data.categories", "embed"}, {"data.missing", "mean"}, {"data.standardize", "true"}};
  const DataSets sets = read("c,x,y\nred,-1,0\nblue,1,1\n,1,1\nlime,-1,0\n", settings);
  EXPECT_EQ(sets.train.info().categories, (std::vector<Index>{3, 0}));
  EXPECT_EQ(schema_of(sets.train).encoding.category_counts(), (std::vector<Index>{3, 0}));
  EXPECT_EQ(all_rows(sets.train), (Rows{{2, -1, 0, 1}, {0, 1, 1, 1}, {3, 1, 1, 1}, {1, -1, 0, 1}}));
  EXPECT_EQ(others(sets, "c,x\n9,1\nblue,\n", settings), (Rows{{3, 1, 0, 1}, {0, 0, 0, 1}}));
}

// Law: categories of validation rows alone are unknown.
TEST_F(TextFeatures, CategoriesAreLearntFromTheTrainingRows) {
  std::string text = "c,y\n";
  for (int i = 0; i < 100; ++i) text += "c" + std::to_string(i) + (i % 2 == 0 ? ",0\n" : ",1\n");
  const DataSets sets = read(text, {{"data.categories", "embed"}, {"data.valid", "split:0.3"}});
  const float count = static_cast<float>(sets.train.info().rows);
  EXPECT_EQ(sets.train.info().categories[0], sets.train.info().rows);
  for (const auto& row : all_rows(sets.valid.value())) EXPECT_EQ(row[0], count);
  for (const auto& row : all_rows(sets.train)) EXPECT_LT(row[0], count);
}

// Law: a hashed row is the signed sum of its features' slots.
TEST_F(TextFeatures, HashedIndices) {
  const FeatureHash hash(4, 7);
  const std::vector<std::pair<std::uint64_t, float>> features{
      {3, 1.5F}, {70, 2}, {999, -1}, {std::uint64_t{1} << 40, 4}, {(std::uint64_t{1} << 62) + 1, 8}};
  std::vector<float> expected(16);
  std::string line = "1";
  for (const auto& [index, value] : features) {
    line += " " + std::to_string(index) + ":" + std::to_string(value);
    expected[hash.slot(index).column] += hash.slot(index).sign * value;
  }
  expected.insert(expected.end(), {1, 1});
  const Settings settings{{"data.hash_bits", "4"}, {"data.hash_seed", "7"}, {"data.format", "libsvm"}};
  const DataSets sets = read(line + "\n0 3:1\n", settings);
  EXPECT_EQ(sets.train.info().features, 16);
  EXPECT_EQ(row_of(sets.train, 0), expected);
  EXPECT_EQ(sets.train.info().warnings.at(0).substr(0, 9), "hashing: ");
  EXPECT_EQ(error("1 5:1 4:1\n", settings), ":1:7: index 4 follows 5, ascending indices were expected");
  Settings other = settings;
  other[1].second = "8";
  EXPECT_NE(row_of(read(line + "\n0 3:1\n", other).train, 0), expected);
}

TEST_F(TextFeatures, HashedColumnsOfCsv) {
  const FeatureHash hash(10, 1);
  const Settings settings{
      {"data.hash_bits", "10"}, {"data.categories", "hash"}, {"data.missing", "indicator"}};
  const DataSets sets = read("c,x,z,y\nred,2,0,1\nblue,NA,,0\n", settings);
  std::vector<float> first(1024), second(1024);
  const auto add = [&](std::vector<float>& row, const char* name, float value) {
    row[hash.slot(std::string_view(name)).column] += hash.slot(std::string_view(name)).sign * value;
  };
  add(first, "c=red", 1);
  add(first, "x", 2);
  add(second, "c=blue", 1);
  add(second, "x is missing", 1);
  add(second, "z is missing", 1);
  first.insert(first.end(), {1, 1});
  second.insert(second.end(), {0, 1});
  EXPECT_EQ(all_rows(sets.train), (Rows{first, second}));
  EXPECT_EQ(others(sets, "c,x,z\nblue,NA,\n", settings)[0][0], second[0]);
  second[1024] = 0;
  EXPECT_EQ(others(sets, "c,x,z,y\nblue,NA,,0\n", settings), Rows{second});
  EXPECT_THROW(read("c,y\na,1\n", {{"data.categories", "hash"}}), Error);
}

TEST(SlotCount, EstimatesHowManyFeaturesCollided) {
  std::mt19937 random(3);
  SlotCount slots(12);
  for (int i = 0; i < 2000; ++i) {
    const std::uint32_t column = random() % 4096;
    slots.add(&column, 1);
  }
  const std::string text = slots.sentence();
  const auto at = text.find("stand for ");
  ASSERT_NE(at, std::string::npos) << text;
  EXPECT_NEAR(std::stod(text.substr(at + 10)), 2000, 100) << text;
  EXPECT_EQ(SlotCount(0).sentence(), "");
}

TEST_F(TextFeatures, WeightsOfLabels) {
  const Settings settings{{"data.format", "libsvm"}};
  EXPECT_EQ(rows("1:0.5 1:2\n0 1:3\nx:2 1:1\n", settings), (Rows{{2, 1, 0.5F}, {3, 0, 1}, {1, 2, 2}}));
  EXPECT_EQ(error("1:0.5 1:2\n0:-1 1:3\n", settings), ":2:3: the row weight is negative");
  EXPECT_EQ(error("1:0.5 1:2\n0:a 1:3\n", settings), ":2:3: weight \"a\" is not a number");
  EXPECT_EQ(error("1:0.5 1:2\n:2 1:3\n", settings), ":2:1: the label is empty");
  EXPECT_NE(read("1:0.5 1:2\n0 1:3\n", settings).train.info().warnings.at(0).find("label:weight"),
            std::string::npos);
}

// The model knows, since a row that is to be predicted may have a feature there.
TEST_F(TextFeatures, WeightsOfLabelsWhereLabelsAreNotNeeded) {
  const Settings settings{{"data.format", "libsvm"}};
  const DataSets weighted = read("1:0.5 1:2 2:1\n0 1:3\n", settings);
  EXPECT_EQ(others(weighted, "1:3 2:4\n1 1:5\n0:0.5\n", settings),
            (Rows{{0, 4, 0, 3}, {5, 0, 0, 1}, {0, 0, 0, 0.5F}}));
  EXPECT_THROW(others(weighted, "1:-3 2:4\n", settings), Error);
  Settings without = settings;
  without.emplace_back("data.label_weights", "no");
  EXPECT_EQ(others(weighted, "1:3 2:4\n1 1:5\n", without), (Rows{{3, 4, 0, 1}, {5, 0, 0, 1}}));
  const DataSets plain = read("1 1:2 2:1\n0 1:3\n", settings);
  EXPECT_EQ(others(plain, "1:3 2:4\n1 1:5\n", settings), (Rows{{3, 4, 0, 1}, {5, 0, 0, 1}}));
  without[1].second = "yes";
  EXPECT_EQ(rows("1 1:2\n0:3 1:3\n", without), (Rows{{2, 1, 1}, {3, 0, 3}}));
  without[1].second = "no";
  EXPECT_EQ(error("1:3 1:2\n0 1:3\n", without), ":1:1: the line starts with \"1:3\", a label was expected");
}

TEST_F(TextFeatures, Libffm) {
  const std::string text = "1 0:2:1.5 3:1:2\n0 1:3:1 # x\n";
  const DataSets sets = read(text, {});
  EXPECT_EQ(all_rows(sets.train), (Rows{{2, 1.5F, 0, 1, 1}, {0, 0, 1, 0, 1}}));
  EXPECT_NE(sets.train.info().warnings.at(0).find("fields"), std::string::npos);
  const Settings settings{{"data.format", "libffm"}};
  EXPECT_EQ(error("1 0:2:1\n0 2:1\n", settings), ":2:5: \"1\" is not of the form index:value");
  EXPECT_EQ(error("1 0:2:1\n0 x:2:1\n", settings), ":2:3: \"x:2:1\" is not of the form field:index:value");
  EXPECT_EQ(error("1 0:2:1\n0 0:2:1 1:2:1\n", settings), ":2:11: index 2 stands twice in the row");
  EXPECT_EQ(format_registry().find("libsvm").matches("", "1 2:3 4:5\n"), true);
  EXPECT_EQ(format_registry().find("libffm").matches("", "1 2:3 4:5\n"), false);
}

TEST_F(TextFeatures, SettingsThatDoNotGoTogether) {
  for (const Settings& settings :
       {Settings{{"data.category_columns", "0"}},
        Settings{{"data.categories", "hash"}, {"data.hash_bits", "3"}, {"data.missing", "mean"}}}) {
    try {
      read("a,y\n1,0\n2,1\n", settings);
      ADD_FAILURE();
    } catch (const Error& caught) {
      EXPECT_EQ(caught.code(), ExitCode::kConfig);
    }
  }
  EXPECT_EQ(error("a,y\n1,0\n", {{"data.categories", "onehot"}, {"data.category_columns", "z"}}),
            ":1:1: no column is called \"z\" (data.category_columns)");
}

}  // namespace
}  // namespace lockstep::testing
