// SPDX-License-Identifier: Apache-2.0
// Rows that stay in their cache file are those in memory, bit by bit; a file that is damaged meanwhile, or a
// limit that nothing fits into, is told of.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <numeric>

#include "data/batch_buffer.h"
#include "data/loading.h"
#include "data/row_stream.h"
#include "data/sampler.h"
#include "lockstep/core/error.h"
#include "support/thread_communicator.h"
#include "support/training.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kRows = 1501, kManyRows = 6001, kSparseRows = 4001;
constexpr int kShards = 4;

// Sorted by label.
std::string csv(bool has_weights, int rows = kRows) {
  std::mt19937 random(7);
  std::normal_distribution<float> noise(0, 1);
  std::string text = has_weights ? "a,b,c,weight,label\n" : "a,b,c,label\n";
  for (int i = 0; i < rows; ++i) {
    const bool is_right = i >= rows / 2;
    text += std::to_string(noise(random) + (is_right ? 0.8F : -0.8F)) + "," + std::to_string(noise(random)) +
            "," + std::to_string(3 * noise(random)) + ",";
    if (has_weights) text += std::to_string(0.25 * static_cast<double>(i % 5)) + ",";
    text += is_right ? "oak\n" : "ash\n";
  }
  return text;
}

// Rows of very different lengths, some without an entry.
std::string libsvm() {
  std::mt19937 random(5);
  std::string text;
  for (int i = 0; i < kSparseRows; ++i) {
    const bool is_right = random() % 2 == 0;
    text += is_right ? "1" : "-1";
    const std::uint32_t step = i % 97 == 0 ? 8 : 2 + random() % 60;
    for (std::uint32_t column = 1 + random() % 40; column < 900; column += step)
      text += " " + std::to_string(column) + ":" +
              std::to_string(static_cast<float>(random() % 1000) / 500 - (is_right ? 0.8F : 1.2F));
    text += "\n";
  }
  return text;
}

struct Source {
  explicit Source(bool has_weights = false, int rows = kRows) : Source("rows.csv", csv(has_weights, rows)) {
    if (has_weights) settings.emplace_back("data.weight", "weight");
  }
  Source(const std::string& name, const std::string& text)
      : settings{{"data.train", folder.write(name, text)},
                 {"data.cache", (fs::path(folder.write("here", "")).parent_path() / "cache").string()}} {}
  DataSets load(const Settings& more, FoldPlan folds = {}) const {
    Settings all = settings;
    all.insert(all.end(), more.begin(), more.end());
    LoadPlan plan;
    plan.shards = kShards;
    plan.hosted = {0, kShards};
    plan.folds = folds;
    plan.piece_bytes = 3000;
    return testing::load(all, plan);
  }
  TemporaryFolder folder;
  Settings settings;
};

void expect_same_batch(const Batch& a, const Batch& b, Index features) {
  ASSERT_EQ(a.rows(), b.rows());
  for (Index i = 0; i < a.rows(); ++i) {
    ASSERT_EQ(a.labels[i], b.labels[i]);
    ASSERT_EQ(a.weights[i], b.weights[i]);
    if (!a.features.is_sparse) {
      for (Index j = 0; j < features; ++j)
        ASSERT_EQ(a.features.dense.data[i * features + j], b.features.dense.data[i * features + j]);
      continue;
    }
    const SparseRows &left = a.features.sparse, &right = b.features.sparse;
    ASSERT_EQ(left.offsets[i + 1], right.offsets[i + 1]);
    for (Index entry = left.offsets[i]; entry < left.offsets[i + 1]; ++entry) {
      ASSERT_EQ(left.columns[entry], right.columns[entry]);
      ASSERT_EQ(left.values[entry], right.values[entry]);
    }
  }
}

void expect_same_rows(const Dataset& kept, const Dataset& streamed, const std::vector<std::uint32_t>& order) {
  BatchBuffer left(kept), right(streamed);
  for (std::size_t first = 0; first < order.size(); first += 50)
    for (int shard = 0; shard < kShards; ++shard) {
      const auto rows = std::span(order).subspan(first, std::min<std::size_t>(50, order.size() - first));
      for (BatchBuffer* buffer : {&left, &right}) {
        buffer->clear(0);
        buffer->append(shard, rows, 0, true);
        buffer->prefetch(shard, first / 2, std::span(order).subspan(first / 2, 20));
        for (int part = 0; part < 7; ++part) buffer->prefetch_part();
      }
      expect_same_batch(left.batch(), right.batch(), kept.info().features);
    }
}

// In order and in disorder.
void expect_same_rows(const Dataset& kept, const Dataset& streamed) {
  ASSERT_EQ(kept.stream(), nullptr);
  ASSERT_NE(streamed.stream(), nullptr);
  ASSERT_EQ(kept.info().rows, streamed.info().rows);
  EXPECT_EQ(kept.info().total_weight, streamed.info().total_weight);
  for (int shard = 0; shard < kShards && kept.info().is_sparse; ++shard) {
    EXPECT_EQ(entries_of(kept, shard), entries_of(streamed, shard));
    EXPECT_EQ(most_entries_of(kept, shard, 7), most_entries_of(streamed, shard, 7));
  }
  std::vector<std::uint32_t> order(static_cast<std::size_t>(kept.info().rows / kShards));
  std::iota(order.begin(), order.end(), 0U);
  expect_same_rows(kept, streamed, order);
  std::shuffle(order.begin(), order.end(), std::mt19937(3));
  expect_same_rows(kept, streamed, order);
}

TEST(Stream, GivesTheRowsOfMemory) {
  for (const bool has_weights : {false, true})
    for (const Settings& more : {Settings{},
                                 {{"data.standardize", "true"}},
                                 {{"data.scale", "minmax"}},
                                 {{"data.class_weights", "balanced"}}}) {
      const Source source(has_weights);
      Settings limited = more;
      limited.emplace_back("data.memory_limit", "20KB");
      const DataSets kept = source.load(more), streamed = source.load(limited);
      EXPECT_LE(2 * streamed.train.memory_bytes(), 20000U);
      EXPECT_EQ(streamed.train.info().warnings.size(),
                kept.train.info().warnings.size() + 2);  // so are single rows
      EXPECT_EQ(kept.fingerprint(), streamed.fingerprint());
      expect_same_rows(kept.train, streamed.train);
    }
}

TEST(Stream, GivesTheRowsOfASplitOfMemory) {
  for (const bool is_sparse : {false, true})
    for (const Settings& more : {Settings{{"data.valid", "split:0.3"}},
                                 {{"data.valid", "split:0.6"}, {"data.standardize", "true"}}}) {
      const Source source = is_sparse ? Source("rows.svm", libsvm()) : Source(false, kManyRows);
      Settings limited = more;
      limited.emplace_back("data.memory_limit", is_sparse ? "1400KB" : "80KB");
      const DataSets kept = source.load(more), streamed = source.load(limited);
      EXPECT_LE(streamed.train.memory_bytes() + streamed.valid->memory_bytes(),
                is_sparse ? 1400000U : 80000U);
      EXPECT_EQ(kept.fingerprint(), streamed.fingerprint());
      expect_same_rows(kept.train, streamed.train);
      expect_same_rows(*kept.valid, *streamed.valid);
    }
}

TEST(Stream, GivesTheRowsOfAFoldOfMemory) {
  for (const bool is_sparse : {false, true})
    for (int fold = 0; fold < 3; ++fold) {
      const Source source = is_sparse ? Source("rows.svm", libsvm()) : Source(false, kManyRows);
      const DataSets kept = source.load({}, {3, fold});
      const DataSets streamed =
          source.load({{"data.memory_limit", is_sparse ? "1400KB" : "80KB"}}, {3, fold});
      EXPECT_EQ(kept.fingerprint(), streamed.fingerprint());
      expect_same_rows(kept.train, streamed.train);
      expect_same_rows(*kept.valid, *streamed.valid);
    }
}

TEST(Stream, GivesTheSparseRowsOfMemory) {
  const Source source("rows.svm", libsvm());
  for (const Settings& more :
       {Settings{}, {{"data.shuffle_window", "64"}}, {{"data.scale", "minmax"}}, {{"data.hash_bits", "6"}}}) {
    Settings limited = more;
    limited.emplace_back("data.memory_limit", "300KB");
    const DataSets kept = source.load(more), streamed = source.load(limited);
    EXPECT_LE(2 * streamed.train.memory_bytes(), 300000U);
    expect_same_rows(kept.train, streamed.train);
  }
}

TEST(Stream, RefusesWhatCannotBeStreamed) {
  const Source source;
  const auto code_of = [&](const Settings& more) {
    try {
      source.load(more);
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::kOk;
  };
  EXPECT_EQ(code_of({{"data.memory_limit", "1GB"}}), ExitCode::kOk);
  EXPECT_EQ(code_of({{"data.memory_limit", "100B"}}), ExitCode::kData);
  EXPECT_EQ(code_of({{"data.memory_limit", "24KB"}, {"data.valid", "split:0.5"}}), ExitCode::kOk);
  EXPECT_EQ(code_of({{"data.memory_limit", "1KB"}, {"data.valid", "split:0.1"}}), ExitCode::kData);
  EXPECT_EQ(code_of({{"data.memory_limit", "20KB"}, {"data.cache", "off"}}), ExitCode::kData);
  EXPECT_EQ(code_of({{"data.memory_limit", "much"}}), ExitCode::kConfig);
}

/// Rows without an end; how many there are is not said, or is.
class ManyRows final : public Format {
 public:
  static constexpr Index kMost = 100'000;
  static inline Index passed;
  void read(const std::string& source, RowSink& sink) const override {
    RowSchema schema;
    schema.features = 6;
    schema.is_sparse = source.find("sparse") != std::string::npos;
    if (source.find("counted") != std::string::npos) schema.rows = kMost;
    passed = 0;
    sink.begin(schema);
    const std::vector<float> values(6, 1);
    const std::vector<std::uint32_t> columns{0, 1, 2, 3, 4, 5};
    for (; passed < kMost; ++passed) {
      Row row;
      row.line = passed + 1;
      row.label.number = static_cast<double>(passed % 2);
      (schema.is_sparse ? row.values : row.dense) = values.data();
      if (schema.is_sparse) row.columns = columns.data();
      if (schema.is_sparse) row.count = 6;
      sink.add(row);
    }
  }
};

// Reading ends with the first row that does not fit, or before it where their number is known.
TEST(Stream, WhatCannotBeStreamedIsNotReadOn) {
  Registry<FormatRow> formats;
  formats.add({"many", "", nullptr,
               [](const Options&) -> std::unique_ptr<Format> { return std::make_unique<ManyRows>(); }});
  const TemporaryFolder folder;
  const auto rows_passed = [&](const std::string& name, const Settings& more) {
    Settings settings{
        {"data.train", folder.write(name, "rows")}, {"data.format", "many"}, {"data.memory_limit", "28KB"}};
    settings.insert(settings.end(), more.begin(), more.end());
    try {
      load_datasets(make_options(settings), formats, {});
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("cannot be streamed"), std::string::npos) << error.what();
      return ManyRows::passed;
    }
    return Index{-1};
  };
  for (const Settings& more : {Settings{}, {{"data.valid", "split:0.3"}}}) {
    EXPECT_EQ(rows_passed("dense", more), 1000);  // of 28 bytes
    EXPECT_EQ(rows_passed("sparse", more), 28000 / 60);
    EXPECT_EQ(rows_passed("counted", more), 0);
    EXPECT_EQ(rows_passed("sparse_counted", more), 0);
  }
}

TEST(Stream, ATruncatedFileEndsTheRun) {
  const Source source;
  const DataSets data = source.load({{"data.memory_limit", "20KB"}});
  fs::resize_file(data.train.stream()->pieces->file().path(), 8192);
  BatchBuffer buffer(data.train);
  const std::vector<std::uint32_t> rows{370};
  EXPECT_THROW(buffer.append(3, rows, 0, true), Error);
}

void expect_bits_of_memory(const Source& source, const std::vector<std::string>& more,
                           const std::string& limit) {
  TrainingCase asked;
  for (const auto& [key, value] : source.settings) asked.sets.push_back(key + "=" + value);
  for (const char* set : {"model.name=logistic", "train.batch=64", "train.epochs=3", "eval.train=always"})
    asked.sets.emplace_back(set);
  asked.sets.insert(asked.sets.end(), more.begin(), more.end());
  const TrainingOutcome kept = train(asked);
  asked.sets.emplace_back("data.memory_limit=" + limit);
  for (asked.ranks = 1; asked.ranks <= 3; ++asked.ranks) {
    const TrainingOutcome streamed = train(asked);
    EXPECT_EQ(streamed.tensors, kept.tensors) << asked.ranks;
    ASSERT_EQ(streamed.evaluations.size(), kept.evaluations.size());
    for (std::size_t i = 0; i < kept.evaluations.size(); ++i)
      EXPECT_EQ(streamed.evaluations[i], kept.evaluations[i]);
  }
}

// One model on any number of ranks, and whether or not rows are in memory.
TEST(Stream, HasTheBitsOfMemory) {
  const Source source(true);
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{},
        {"train.shuffle=false"},
        {"data.shuffle_window=64"},
        {"data.shuffle_window=64", "data.standardize=true", "train.batch=333"}})
    expect_bits_of_memory(source, more, "24KB");
  expect_bits_of_memory(Source(true, kManyRows), {"data.shuffle_window=32", "data.valid=split:0.2"}, "100KB");
}

TEST(Stream, OfSparseRowsHasTheBitsOfMemory) {
  const Source source("rows.svm", libsvm());
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{},
        {"comm.sparse=on"},
        {"data.shuffle_window=64", "comm.sparse=on", "train.batch=333"},
        {"train.shuffle=false", "data.valid=split:0.3"}})
    expect_bits_of_memory(source, more, "1400KB");
}

// Windows are made of stretches from anywhere, so rows sorted by label do no harm.
TEST(Stream, LearnsRowsSortedByLabelAsWellAsShuffledOnes) {
  const Source source;
  const auto accuracy = [&](const std::vector<std::string>& more) {
    TrainingCase asked;
    for (const auto& [key, value] : source.settings) asked.sets.push_back(key + "=" + value);
    for (const char* set : {"model.name=logistic", "train.batch=50", "train.epochs=5", "eval.train=always"})
      asked.sets.emplace_back(set);
    asked.sets.insert(asked.sets.end(), more.begin(), more.end());
    return train(asked).evaluations.back().at("train.accuracy");
  };
  const double whole = accuracy({});
  EXPECT_GT(whole, 0.7);
  EXPECT_NEAR(accuracy({"data.shuffle_window=8", "data.memory_limit=16KB"}), whole, 0.01);
}

// Of ranks that want what they like in slots for a few, each sees the rows of its pieces and nothing else.
TEST(Stream, SlotsHoldWhatTheRanksThatShareThemHold) {
  const Source source;
  const DataSets streamed = source.load({{"data.memory_limit", "20KB"}});
  const RowPieces& pieces = *streamed.train.stream()->pieces;
  std::vector<std::string> expected(static_cast<std::size_t>(pieces.count()),
                                    std::string(pieces.slot_bytes(), 0));
  for (Index piece = 0; piece < pieces.count(); ++piece)
    pieces.read(piece, expected[static_cast<std::size_t>(piece)].data());
  for (const Index slots : {1, 2, 5, 64})
    run_ranks(4, [&](Communicator& communicator) {
      std::string why_not;
      PieceSlots shared(&communicator, pieces, slots, why_not);
      EXPECT_EQ(shared.ranks(), 4);
      std::mt19937 random(static_cast<unsigned>(communicator.rank()));
      int found = 0;
      for (int i = 0; i < 3000; ++i) {
        const auto piece = static_cast<Index>(random() % expected.size());
        if (i % 3 == 0) shared.bring(pieces, static_cast<Index>(random() % expected.size()));
        const int slot = shared.hold(pieces, piece);
        if (slot < 0) continue;
        ++found;
        const std::string& bytes = expected[static_cast<std::size_t>(piece)];
        const std::size_t count = piece + 1 < pieces.count() ? bytes.size() : 16;  // the last piece is short
        EXPECT_EQ(std::memcmp(shared.at(slot), bytes.data(), count), 0);
        shared.release(slot);
      }
      EXPECT_GT(found, slots > communicator.size() ? 2500 : 0);
      barrier(communicator);
    });
}

// A pause in training, for an evaluation, leaves it slots: readers of a rank share what they hold.
TEST(Stream, NoReadersHoldAllSlots) {
  const Source source(false, kManyRows);
  run_ranks(2, [&](Communicator& communicator) {
    Settings settings = source.settings;
    settings.emplace_back("data.memory_limit", "90KB");
    LoadPlan plan;
    plan.shards = kShards;
    plan.hosted = {2 * communicator.rank(), 2 * communicator.rank() + 2};
    plan.communicator = &communicator;
    const DataSets data = testing::load(settings, plan);
    const RowStream& stream = *data.train.stream();
    ASSERT_EQ(stream.slots->ranks(), 2);
    ASSERT_LT(stream.slots->slots(), stream.pieces->count() / 4);  // or all would be here
    std::vector<std::uint32_t> order(kManyRows / kShards);
    std::iota(order.begin(), order.end(), 0U);
    BatchBuffer training(data.train), evaluation(data.train);
    for (BatchBuffer* buffer : {&training, &evaluation}) {
      // Each rank has other pieces in use, as where rows are permuted as a whole.
      std::shuffle(order.begin(), order.end(), std::mt19937(static_cast<unsigned>(communicator.rank())));
      buffer->clear(0);
      buffer->append(plan.hosted.first, std::span(order).first(1000), 0, true);
    }
    barrier(communicator);
    Index free = 0;
    for (Index piece = 0; communicator.rank() == 0 && piece < stream.pieces->count(); ++piece)
      if (stream.slots->slot_of(piece) < 0 && stream.slots->hold(*stream.pieces, piece) >= 0) ++free;
    EXPECT_TRUE(communicator.rank() != 0 || free >= stream.slots->slots() / 2 - 1)
        << free << " of " << stream.slots->slots();
    barrier(communicator);
  });
}

}  // namespace
}  // namespace lockstep::testing
