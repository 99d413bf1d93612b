// SPDX-License-Identifier: Apache-2.0
// Rows out of a cache file are those of the text it was made from, bit by bit, on any number of ranks; a file
// that is not whole, or not of this text, is never used.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <optional>

#include "core/atomic_file.h"
#include "data/cache_file.h"
#include "data/cache_rows.h"
#include "data/cache_verify.h"
#include "data/loading.h"
#include "support/thread_communicator.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kShards = 4;

struct Text {
  std::string name;
  std::string file;
  std::string content;
  Settings settings;
  Task task = Task::kClassification;
};

void PrintTo(const Text& text, std::ostream* out) {
  *out << text.name;
}

std::string number(std::mt19937& random) {
  return std::to_string(std::uniform_real_distribution<float>(-3, 3)(random));
}

std::string csv(int rows, const std::vector<std::string>& labels, bool has_weights = false) {
  std::mt19937 random(7);
  std::string text = has_weights ? "a,b,weight,label\n" : "a,b,label\n";
  for (int i = 0; i < rows; ++i) {
    text += number(random) + "," + number(random) + ",";
    if (has_weights) text += std::to_string(i % 5 == 0 ? 0.0 : 0.1 * static_cast<double>(i % 7)) + ",";
    text += labels.empty() ? number(random) : labels[random() % labels.size()];
    text += i % 11 == 3 ? "\r\n\n" : "\n";
  }
  return text;
}

// With categories and missing values.
std::string columns(int rows) {
  std::mt19937 random(9);
  std::string text = "a,colour,b,label\n";
  for (int i = 0; i < rows; ++i)
    text += (random() % 4 == 0 ? "" : number(random)) + ",c" + std::to_string(random() % (i + 2U)) + "," +
            (i < 100 || random() % 5 > 0 ? number(random) : "NA") + "," +
            (random() % 3 == 0 ? "oak" : "ash") + "\n";
  return text;
}

std::string libsvm(int rows, int base) {
  std::mt19937 random(8);
  std::string text;
  for (int i = 0; i < rows; ++i) {
    text += random() % 3 == 0 ? "-1" : "+1";
    for (std::uint32_t column = random() % 5; column < 40; column += 1 + random() % 20)
      text += " " + std::to_string(column + static_cast<std::uint32_t>(base)) + ":" + number(random);
    text += i % 7 == 0 ? " # a remark\n" : "\n";
  }
  return text;
}

std::vector<Text> texts() {
  return {
      {"Csv", "rows.csv", csv(301, {"0", "1", "2"}), {}},
      {"Split", "rows.csv", csv(301, {"0", "1", "2"}), {{"data.valid", "split:0.1"}}},
      {"Standardize", "rows.csv", csv(301, {"3", "1"}), {{"data.standardize", "true"}}},
      {"StandardizeSplit",
       "rows.csv",
       csv(301, {"3", "1"}, true),
       {{"data.standardize", "true"}, {"data.valid", "split:0.3"}, {"data.weight", "weight"}}},
      {"MinMax", "rows.csv", csv(301, {"3", "1"}), {{"data.scale", "minmax"}}},
      {"ClassWeights",
       "rows.csv",
       csv(301, {"3", "1"}, true),
       {{"data.class_weights", "balanced"}, {"data.weight", "weight"}}},
      {"TextLabels", "rows.csv", csv(301, {"oak", "ash", "\"elm, or not\"", "7"}), {}},
      {"FractionLabels", "rows.csv", csv(301, {"0.1", "0.2"}), {}},
      {"Regression", "rows.csv", csv(301, {}), {}, Task::kRegression},
      {"RegressionWeights", "rows.csv", csv(301, {}, true), {{"data.weight", "weight"}}, Task::kRegression},
      {"Gzip", "rows.csv.gz", gzip(csv(301, {"0", "1", "2"})), {}},
      {"FewRows", "rows.csv", csv(3, {"0", "1"}), {}},
      {"NoLastLineEnd", "rows.csv", csv(99, {"0", "1"}) + "1,2,1", {}},
      {"Libsvm", "rows.svm", libsvm(301, 1), {}},
      {"LibsvmFromZero", "rows.svm", libsvm(301, 0), {{"data.valid", "split:0.2"}}},
      {"LibsvmStandardize", "rows.svm", libsvm(301, 1), {{"data.standardize", "true"}}},
      {"LibsvmMinMax", "rows.svm", libsvm(301, 1), {{"data.scale", "minmax"}}},
      {"LabelWeights", "rows.svm", "1:0.5 3:1\n" + libsvm(301, 1), {}},
      {"Hashed", "rows.svm", libsvm(301, 1), {{"data.hash_bits", "5"}}},
      {"Libffm", "rows.ffm", "1 2:3:4 1:2:1\n0 1:1:1\n0:1 1:1\n1 7:9:1\n", {{"data.on_bad_row", "skip"}}},
      {"Missing", "rows.csv", columns(301), {{"data.missing", "mean"}, {"data.categories", "onehot"}}},
      {"MissingSplit",
       "rows.csv",
       columns(301),
       {{"data.missing", "mean"},
        {"data.categories", "embed"},
        {"data.standardize", "true"},
        {"data.valid", "split:0.3"}}},
      {"Indicator",
       "rows.csv",
       columns(301),
       {{"data.missing", "indicator"}, {"data.categories", "onehot"}, {"data.scale", "minmax"}}},
      {"SkipBad", "rows.csv", columns(301), {{"data.on_bad_row", "skip"}, {"data.categories", "onehot"}}},
      {"HashedCsv",
       "rows.csv",
       columns(301),
       {{"data.missing", "zero"}, {"data.categories", "hash"}, {"data.hash_bits", "6"}}},
  };
}

LoadPlan plan_of(const Text& text, Communicator* communicator) {
  LoadPlan plan;
  plan.task = text.task;
  plan.shards = kShards;
  plan.hosted = {0, kShards};
  plan.piece_bytes = 300;
  if (communicator == nullptr) return plan;
  plan.communicator = communicator;
  plan.hosted = {communicator->rank() * kShards / communicator->size(),
                 (communicator->rank() + 1) * kShards / communicator->size()};
  return plan;
}

void expect_same_info(const DatasetInfo& a, const DatasetInfo& b) {
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.features, b.features);
  EXPECT_EQ(a.is_sparse, b.is_sparse);
  EXPECT_EQ(a.classes, b.classes);
  EXPECT_EQ(a.feature_names, b.feature_names);
  EXPECT_EQ(a.total_weight, b.total_weight);
  EXPECT_EQ(a.class_weight_sums, b.class_weight_sums);
  EXPECT_EQ(a.label_mean, b.label_mean);
  EXPECT_EQ(a.index_base, b.index_base);
  EXPECT_EQ(a.hashed, b.hashed);
  EXPECT_EQ(a.has_weights, b.has_weights);
  EXPECT_EQ(a.fingerprint, b.fingerprint);
  EXPECT_EQ(a.warnings, b.warnings);
}

template <class Vector>
bool same_bits(const Vector& a, const Vector& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0);
}

void expect_same(const Dataset& a, const Dataset& b) {
  expect_same_info(a.info(), b.info());
  EXPECT_TRUE(same_bits(a.preprocessing().shift, b.preprocessing().shift));
  EXPECT_TRUE(same_bits(a.preprocessing().scale, b.preprocessing().scale));
  for (int shard = b.hosted().first; shard < b.hosted().last; ++shard) {
    const ShardRows &left = a.rows_of(shard), &right = b.rows_of(shard);
    EXPECT_TRUE(same_bits(left.dense, right.dense));
    EXPECT_TRUE(same_bits(left.offsets, right.offsets));
    EXPECT_TRUE(same_bits(left.columns, right.columns));
    EXPECT_TRUE(same_bits(left.values, right.values));
    EXPECT_TRUE(same_bits(left.labels, right.labels));
    EXPECT_TRUE(same_bits(left.weights, right.weights));
  }
}

void expect_same(const DataSets& a, const DataSets& b) {
  expect_same(a.train, b.train);
  EXPECT_EQ(a.valid.has_value(), b.valid.has_value());
  if (a.valid && b.valid) expect_same(*a.valid, *b.valid);
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  if (fs::exists(folder))
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  return files;
}

class CacheOfText : public ::testing::TestWithParam<Text> {
 protected:
  Settings settings(const std::string& cache) const {
    Settings result = GetParam().settings;
    result.emplace_back("data.train", source_);
    result.emplace_back("data.cache", cache);
    return result;
  }

  TemporaryFolder folder_;
  std::string source_ = folder_.write(GetParam().file, GetParam().content);
};

TEST_P(CacheOfText, HasTheRowsOfTheTextOnAnyNumberOfRanks) {
  const DataSets expected = load(settings("off"), plan_of(GetParam(), nullptr));
  std::optional<std::string> bytes;
  for (const int ranks : {1, 2, 3, 6}) {
    const fs::path cache = folder_.path() / ("cache-" + std::to_string(ranks));
    for (int start = 0; start < 2; ++start)  // the first makes the file
      run_ranks(ranks, [&](Communicator& communicator) {
        expect_same(expected, load(settings(cache.string()), plan_of(GetParam(), &communicator)));
      });
    ASSERT_EQ(files_in(cache).size(), 1U);
    const std::string content = read_file(files_in(cache)[0]);
    EXPECT_EQ(bytes.value_or(content), content) << ranks << " ranks";
    bytes = content;
    verify_cache(CacheFile(files_in(cache)[0]));
    expect_same(expected, load(settings(cache.string()), plan_of(GetParam(), nullptr)));
  }
}

INSTANTIATE_TEST_SUITE_P(Texts, CacheOfText, ::testing::ValuesIn(texts()),
                         [](const auto& param) { return param.param.name; });

class Cache : public ::testing::Test {
 protected:
  DataSets load_cached(const std::string& source, Settings settings = {}) {
    settings.emplace_back("data.train", source);
    settings.emplace_back("data.cache", cache_.string());
    LoadPlan plan;
    plan.piece_bytes = 100;
    return load(settings, plan);
  }
  std::string message(const std::string& source, Settings settings, int ranks) {
    settings.emplace_back("data.train", source);
    Text text;
    std::string found;
    run_ranks(ranks, [&](Communicator& communicator) {
      try {
        load(settings, plan_of(text, &communicator));
      } catch (const Error& error) {
        if (communicator.rank() == ranks - 1) found = error.what();
      }
    });
    return found;
  }

  TemporaryFolder folder_;
  fs::path cache_ = folder_.path() / "cache";
};

// Law: a column holds categories in every file of a list if one of them shows it, whatever their order.
TEST_F(Cache, FilesOfAListAgreeOnColumnsOfWords) {
  const std::string words = folder_.write("words.csv", "a,zip,y\n1,A1,0\n2,B2,1\n3,C3,0\n4,A1,1\n");
  const std::string numbers = folder_.write("numbers.csv", "a,zip,y\n5,0,0\n6,1,1\n7,2,0\n");
  const std::string others = folder_.write("others.csv", "a,zip,y\n8,7,0\n9,900,1\n5,-3,0\n");
  const std::vector<std::pair<std::string, std::size_t>> lists{{words + "," + numbers, 6},
                                                               {numbers + "," + words, 6},
                                                               {words + "," + others, 6},
                                                               {numbers + "," + others + "," + words, 9},
                                                               {folder_.path().string() + "/*.csv", 9}};
  const Text text;
  for (const char* kind : {"onehot", "embed"})
    for (const auto& [source, count] : lists) {
      Settings settings{{"data.categories", kind}, {"data.train", source}, {"data.cache", "off"}};
      const DataSets expected = load(settings, plan_of(text, nullptr));
      const ColumnEncoding& encoding = expected.train.info().encoding;
      EXPECT_EQ(encoding.is_category, (std::vector<bool>{false, true})) << source;
      EXPECT_EQ(encoding.categories.at(1).size(), count) << source;
      settings.back().second = cache_.string();
      for (const int ranks : {1, 2, 3})
        run_ranks(ranks, [&](Communicator& communicator) {
          expect_same(expected, load(settings, plan_of(text, &communicator)));
        });
      fs::remove_all(cache_);
    }
}

TEST_F(Cache, FilesOfAListWhoseColumnsDifferAreRefused) {
  const std::string words = folder_.write("words.csv", "a,zip,y\n1,A1,0\n2,B2,1\n");
  const std::string numbers = folder_.write("numbers.csv", "a,zip,y\n5,0,0\n6,1,1\n");
  const auto convert = [&](const std::string& source) {
    load_cached(source, {{"data.categories", "onehot"}});
    const std::string path = source + ".rows";
    fs::rename(files_in(cache_)[0], path);
    return path;
  };
  const std::string list = convert(words) + "," + convert(numbers);
  EXPECT_EQ(message(list, {{"data.categories", "onehot"}}, 2),
            numbers +
                ".rows: column \"zip\" holds numbers, in the first file it holds words (name the columns "
                "of words by data.category_columns)");
}

TEST_F(Cache, IsMadeAnewWhenTheTextOrAnOptionChanges) {
  const std::string source = folder_.write("rows.csv", "1,2,0\n3,4,1\n");
  EXPECT_EQ(row_of(load_cached(source).train, 1), (std::vector<float>{3, 4, 1, 1}));
  const auto time = fs::last_write_time(source);
  folder_.write("rows.csv", "1,2,0\n5,4,1\n");
  EXPECT_EQ(row_of(load_cached(source).train, 1)[0], 5);
  folder_.write("rows.csv", "1,2,0\n7,4,1\n");
  fs::last_write_time(source, time);  // not even the time tells
  EXPECT_EQ(row_of(load_cached(source).train, 1)[0], 7);
  EXPECT_EQ(files_in(cache_).size(), 1U);
  EXPECT_EQ(row_of(load_cached(source, {{"data.label", "0"}}).train, 1)[0], 4);
  EXPECT_EQ(row_of(load_cached(source).train, 1)[0], 7);
  EXPECT_EQ(files_in(cache_).size(), 2U);
}

TEST_F(Cache, IsNotMadeWhereItIsNotAskedFor) {
  const std::string source = folder_.write("rows.csv", csv(50, {"0", "1"}));
  LoadPlan plan;
  plan.cache_directory = cache_;
  load({{"data.train", source}}, plan);  // auto, and small
  EXPECT_FALSE(fs::exists(cache_));
  load({{"data.train", source}, {"data.cache", "off"}}, plan);
  EXPECT_FALSE(fs::exists(cache_));
  load({{"data.train", source}, {"data.cache", "on"}}, plan);
  EXPECT_EQ(files_in(cache_).size(), 1U);
}

TEST_F(Cache, WhereItCannotBeWrittenRowsAreReadFromTheText) {
  const std::string source = folder_.write("rows.csv", csv(50, {"0", "1"}));
  cache_ = fs::path(folder_.write("file", "")) / "cache";
  const DataSets sets = load_cached(source);
  EXPECT_EQ(all_rows(sets.train), all_rows(load({{"data.train", source}}).train));
  ASSERT_EQ(sets.train.info().warnings.size(), 1U);
  EXPECT_NE(sets.train.info().warnings[0].find("cannot be written"), std::string::npos);
}

TEST_F(Cache, TellsTheFirstBadLineAsTheTextDoes) {
  for (const int bad : {0, 5, 40, 99}) {
    std::string text = "a,b,label\n";
    for (int i = 0; i < 100; ++i)
      text += i == bad || i == 99 ? "1,x" + std::to_string(i) + ",1\n" : "1,2,0\n\n";
    const std::string source = folder_.write("rows.csv", text);
    const std::string expected = message(source, {{"data.cache", "off"}}, 1);
    EXPECT_NE(expected.find("rows.csv:" + std::to_string(2 * bad + 2) + ":3: "), std::string::npos)
        << expected;
    for (const int ranks : {1, 2, 3})
      EXPECT_EQ(message(source, {{"data.cache", cache_.string()}}, ranks), expected);
  }
  EXPECT_TRUE(files_in(cache_).empty());
}

TEST_F(Cache, KnowsTheLinesOfItsRows) {
  const std::string train = folder_.write("train.csv", csv(100, {"0", "1"}));
  const std::string valid = folder_.write("valid.csv", csv(100, {"0", "1"}) + "\n1,2,9\n1,2,8\n");
  const Settings settings{{"data.valid", valid}};
  Settings cached = settings;
  cached.emplace_back("data.cache", cache_.string());
  for (const int ranks : {1, 3}) {
    const std::string found = message(train, cached, ranks);
    EXPECT_NE(found.find("valid.csv:112: label \"9\" does not occur"), std::string::npos) << found;
  }
}

// Rows are taken many at a time; the first that is wrong is told as if they were not.
TEST_F(Cache, TellsTheFirstTargetThatIsWrong) {
  std::string text = "a,b,label\n";
  for (int i = 0; i < 900; ++i) text += "1,2," + std::string(i == 601 || i == 602 ? "1e300" : "0.5") + "\n";
  const std::string source = folder_.write("rows.csv", text);
  for (const std::string& cache : {std::string("off"), cache_.string(), cache_.string()})
    for (const int ranks : {1, 3}) {
      std::string found;
      run_ranks(ranks, [&](Communicator& communicator) {
        Text regression;
        regression.task = Task::kRegression;
        try {
          load({{"data.train", source}, {"data.cache", cache}}, plan_of(regression, &communicator));
        } catch (const Error& error) {
          if (communicator.rank() == ranks - 1) found = error.what();
        }
      });
      EXPECT_NE(found.find("rows.csv:603"), std::string::npos) << found;
      EXPECT_NE(found.find("out of the range of float"), std::string::npos) << found;
    }
}

TEST_F(Cache, OfSeveralFilesHasOneNumbering) {
  const std::string whole = csv(200, {"0", "oak", "2"});
  const std::size_t head = whole.find('\n') + 1, cut = whole.find("\n", whole.size() / 3) + 1;
  const std::string header = whole.substr(0, head);
  folder_.write("part-b.csv", header + whole.substr(cut));
  folder_.write("part-a.csv", whole.substr(0, cut));
  const std::string one = folder_.write("whole.csv", whole);
  const std::string pattern = (folder_.path() / "part-*.csv").string();
  const std::string list =
      (folder_.path() / "part-a.csv").string() + "," + (folder_.path() / "part-b.csv").string();
  const auto expected = all_rows(load({{"data.train", one}}).train);
  for (const std::string& source : {pattern, list}) {
    EXPECT_EQ(all_rows(load_cached(source).train), expected);
    EXPECT_EQ(all_rows(load({{"data.train", source}}).train), expected);
    EXPECT_EQ(load_cached(source).train.info().fingerprint,
              load({{"data.train", one}}).train.info().fingerprint);
  }
  folder_.write("part-c.csv", header + "1,2,0\n1,2\n");
  for (const std::string& cache : {std::string("off"), cache_.string()}) {
    const std::string found = message(pattern, {{"data.cache", cache}}, 2);
    EXPECT_NE(found.find("part-c.csv:3:"), std::string::npos) << found;
  }
  folder_.write("part-c.csv", "b,a,label\n1,2,0\n");
  EXPECT_NE(message(pattern, {{"data.cache", cache_.string()}}, 2).find("part-c.csv: "), std::string::npos);
  EXPECT_NE(message(pattern, {{"data.cache", "off"}}, 2).find("part-c.csv: "), std::string::npos);
}

TEST_F(Cache, IsASourceOfItsOwn) {
  const std::string source = folder_.write("rows.svm", libsvm(100, 1));
  const DataSets expected = load_cached(source);
  const std::string file = files_in(cache_)[0].string();
  const DataSets sets = load({{"data.train", file}});
  EXPECT_EQ(all_rows(sets.train), all_rows(expected.train));
  EXPECT_EQ(sets.train.info().fingerprint, expected.train.info().fingerprint);
}

// The first value of the file, though pieces are read by several ranks; of old files too, which do not say.
TEST_F(Cache, OfRowsWithAMissingValueIsRefusedLikeTheText) {
  std::string text = "a,b,label\n";
  for (int i = 0; i < 400; ++i)
    text += (i == 333 || i == 251 ? "1,NA," : "1,2,") + std::to_string(i % 2) + "\n";
  const std::string source = folder_.write("rows.csv", text);
  const Settings mean{{"data.missing", "mean"}};
  load_cached(source, mean);
  const std::string file = files_in(cache_)[0].string();
  for (const int ranks : {1, 3}) {
    const std::string found = message(file, {}, ranks);
    EXPECT_EQ(found.find(file + ": feature 2 (b) of row 252 (" + source + ":253) is missing"), 0U) << found;
  }
  CacheMetadata metadata = CacheFile(file).metadata();
  EXPECT_EQ(metadata.missing.value().row, 251);
  metadata.missing.reset();
  EXPECT_FALSE(CacheMetadata::from_json(metadata.to_json()).missing.has_value());
  const TrainedSchema plain =
      schema_of(load({{"data.train", folder_.write("plain.csv", "a,b,label\n1,2,0\n3,4,1\n")}}).train);
  const TrainedSchema filled = schema_of(load({{"data.train", file}, mean[0]}).train);
  for (const Settings& settings : {Settings{}, mean}) {
    const auto use = [&](const TrainedSchema& schema) {
      return load_dataset_for(schema, file, false, make_options(settings), format_registry(), {}).info().rows;
    };
    EXPECT_THROW(use(plain), Error);
    if (settings.empty()) continue;
    EXPECT_EQ(use(filled), 400);
  }
}

// Whatever byte is wrong: an error that names the file, or the byte is in a gap and no row is other.
TEST_F(Cache, IsRefusedWhenItIsDamaged) {
  for (const std::string& source :
       {folder_.write("a.csv", csv(60, {"oak", "ash"})), folder_.write("b.svm", libsvm(60, 1))}) {
    fs::remove_all(cache_);
    const auto expected = all_rows(load_cached(source).train);
    const std::string path = files_in(cache_)[0].string();
    const std::string whole = read_file(path);
    const auto refused = [&](const std::string& bytes) {
      const std::string damaged = folder_.write("damaged", bytes);
      try {
        verify_cache(CacheFile(damaged));
        return all_rows(load({{"data.train", damaged}}).train) != expected;
      } catch (const Error& error) {
        return error.code() == ExitCode::kData && std::string(error.what()).starts_with(damaged + ": ");
      }
    };
    EXPECT_FALSE(refused(whole));
    const CacheFile file(path);
    const std::size_t gap = file.header().checksums_at + 8 * file.blocks();
    for (std::size_t at = 0; at < whole.size(); at += at < 160 ? 1 : 37) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
      const bool is_gap =
          (at >= sizeof(CacheHeader) + 8 && at < kCachePage) || (at >= gap && at < file.header().metadata_at);
      EXPECT_NE(refused(bytes), is_gap) << "byte " << at << " of " << whole.size();
    }
    for (std::size_t size = 8; size < whole.size(); size += 509)
      EXPECT_TRUE(refused(whole.substr(0, size))) << size;
  }
}

}  // namespace
}  // namespace lockstep::testing
