// SPDX-License-Identifier: Apache-2.0
// What is read for a model of hashed features was hashed as its training data was, or is refused.
#include "data/hashed_features.h"

#include <gtest/gtest.h>

#include "data/cache_file.h"
#include "data/cache_options.h"
#include "data/cache_sink.h"
#include "data/source_reader.h"
#include "loading.h"

namespace lockstep::testing {
namespace {

const Settings kColumns{{"data.categories", "hash"}, {"data.hash_bits", "10"}, {"data.label", "y"}};
const Settings kPairs{{"data.format", "libsvm"}, {"data.hash_bits", "12"}};
const Settings kPlain{{"data.format", "libsvm"}};

class Hashed : public ::testing::Test {
 protected:
  TrainedSchema trained(const std::string& text, Settings settings) {
    settings.emplace_back("data.train", folder_.write("train", text));
    return schema_of(load(settings).train);
  }
  std::string error(const TrainedSchema& schema, const std::string& source, const Settings& settings,
                    bool needs_labels = true) {
    try {
      load_dataset_for(schema, source, needs_labels, make_options(settings), format_registry(), {});
      return "accepted";
    } catch (const Error& caught) {
      return caught.what();
    }
  }
  std::string error_of(const std::string& text, const Settings& settings, bool needs_labels = true) {
    return error(schema_, folder_.write("other", text), settings, needs_labels);
  }
  std::string cache_of(const std::string& text, const Settings& settings) {
    const Options options = make_options(settings);
    const std::string source = folder_.write("source", text);
    const std::string path = (folder_.path() / "cache.rows").string();
    write_cache({path, source, {}},
                [&](CacheSink& sink) { read_source(source, options, format_registry(), sink); });
    return path;
  }
  bool says(const std::string& error, const std::string& part) {
    return error.find(part) != std::string::npos;
  }

  TemporaryFolder folder_;
  TrainedSchema schema_ = {};
};

TEST_F(Hashed, ColumnsAreThoseOfTheTrainingData) {
  schema_ = trained("c,x,y\nred,2,1\nblue,3,0\n", kColumns);
  EXPECT_EQ(schema_.columns(), 2);
  EXPECT_EQ(error_of("c,x,y\nred,5,1\n", kColumns), "accepted");
  Settings numbered = kColumns;
  numbered.back().second = "2";
  const std::string nameless = error_of("red,5,1\n", numbered);
  EXPECT_TRUE(says(nameless, "no line with the names")) << nameless;
  const std::string renamed = error_of("c,z,y\nred,5,1\n", kColumns);
  EXPECT_TRUE(says(renamed, "has \"z\" as feature 2, the training data has \"x\" there")) << renamed;
  const std::string wide = error_of("c,x,z,y\nred,5,1,1\n", kColumns);
  EXPECT_TRUE(says(wide, "has 3 columns of features, the training data has 2")) << wide;
  const std::string pairs = error_of("1 1:2\n", {{"data.format", "libsvm"}, {"data.hash_bits", "10"}});
  EXPECT_TRUE(says(pairs, "has index:value pairs, the training data has columns")) << pairs;
  const std::string dense = error_of("x,z,y\n1,5,1\n", {{"data.label", "y"}});
  EXPECT_TRUE(says(dense, "set data.categories = \"hash\", data.hash_bits = 10 and data.hash_seed = 1"))
      << dense;
}

// By the number of columns, not by that of slots.
TEST_F(Hashed, ColumnsMayLackTheLabel) {
  schema_ = trained("c,x,y\nred,2,1\nblue,3,0\n", kColumns);
  EXPECT_EQ(error_of("c,x\nred,5\n", kColumns, false), "accepted");
  const auto row = [&](const std::string& text) {
    return row_of(load_dataset_for(schema_, folder_.write("other", text), false, make_options(kColumns),
                                   format_registry(), {}),
                  0);
  };
  EXPECT_EQ(row("c,x\nred,5\n"), row("c,x,y\nred,5,1\n"));
  const std::string renamed = error_of("c,z\nred,5\n", kColumns, false);
  EXPECT_TRUE(says(renamed, "has \"z\" as feature 2")) << renamed;
}

TEST_F(Hashed, TablesAreThoseOfTheTrainingData) {
  const std::string text = "1 3:1 70:2\n0 3:2\n";
  schema_ = trained(text, kPairs);
  EXPECT_EQ(error_of(text, kPairs), "accepted");
  const std::string plain = error_of(text, kPlain);
  EXPECT_TRUE(says(plain, "are not hashed, those of the training data are; set data.hash_bits = 12"))
      << plain;
  Settings other = kPairs;
  other.emplace_back("data.hash_seed", "9");
  const std::string seed = error_of(text, other);
  EXPECT_TRUE(says(seed, "hashed with data.hash_bits = 12 and data.hash_seed = 9; set")) << seed;
  schema_ = trained(text, kPlain);
  const std::string hashed = error_of(text, kPairs);
  EXPECT_TRUE(says(hashed, "are hashed, those of the training data are not; set data.hash_bits = 0"))
      << hashed;
  schema_.hashed = {-1, 0, 0, {}};  // a model of before
  schema_.features = 4096;
  EXPECT_EQ(error_of(text, kPairs), "accepted");
}

TEST_F(Hashed, CacheFilesKnowHowTheyWereHashed) {
  const std::string text = "1 3:1 70:2\n0 3:2\n";
  schema_ = trained(text, kPairs);
  EXPECT_EQ(error(schema_, cache_of(text, kPairs), {}), "accepted");
  for (const Settings& settings : {kPlain, Settings{kPlain[0], {"data.hash_bits", "4"}},
                                   Settings{kPlain[0], kPairs[1], {"data.hash_seed", "3"}}}) {
    const std::string cache = cache_of(text, settings);
    for (const Settings& asked : {Settings{}, kPairs})
      EXPECT_TRUE(says(error(schema_, cache, asked), "data.hash_bits = 12")) << error(schema_, cache, asked);
  }
  const std::string columns = cache_of("c,x,y\nred,2,1\nblue,3,0\n", kColumns);
  EXPECT_EQ(CacheFile(columns).schema().hashed, (HashedFeatures{10, 1, 2, {"c", "x"}}));
  schema_ = trained("c,z,y\nred,2,1\nblue,3,0\n", kColumns);
  EXPECT_TRUE(says(error(schema_, columns, {}), "has \"x\" as feature 2"));
}

// Neither are the options taken for those of the file nor its slots counted by them.
TEST_F(Hashed, OptionsThatACacheFileCannotFollowAreRefused) {
  for (const Settings& made : {kPlain, kPairs}) {
    const std::string cache = cache_of("1 3:1 70:2\n0 3:2\n", made);
    EXPECT_EQ(load({{"data.train", cache}}).train.info().rows, 2);
    EXPECT_THROW(load({{"data.train", cache}, {"data.hash_bits", "4"}}), Error);
    EXPECT_THROW(load({{"data.train", cache + "," + cache}, {"data.hash_bits", "4"}}), Error);
  }
  const std::string same = cache_of("1 3:1 70:2\n0 3:2\n", kPairs);
  EXPECT_EQ(load({{"data.train", same}, {"data.hash_bits", "12"}}).train.info().rows, 2);
  const std::string demo = "demo:sparse?rows=100&features=50&active=3";
  EXPECT_THROW(load({{"data.train", demo}, {"data.hash_bits", "4"}}), Error);
}

TEST_F(Hashed, FilesThatSayNothingAreReadAsBefore) {
  CacheMetadata metadata;
  metadata.hashed = {12, 3, 0, {}};
  std::string text = metadata.to_json();
  EXPECT_EQ(CacheMetadata::from_json(text).hashed, metadata.hashed);
  const auto at = text.find("\"hashed\"");
  text.replace(at, text.find("\"classes\"") - at, "");
  EXPECT_EQ(CacheMetadata::from_json(text).hashed.bits, -1);
  EXPECT_FALSE(is_sound({12, 3, 0, {}}, 4095));
  EXPECT_FALSE(is_sound({32, 3, 0, {}}, Index{1} << 32));
  EXPECT_FALSE(is_sound({12, 3, 2, {"a"}}, 4096));
  EXPECT_FALSE(is_sound({0, 0, 2, {}}, 4096));
}

}  // namespace
}  // namespace lockstep::testing
