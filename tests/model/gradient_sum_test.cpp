// SPDX-License-Identifier: Apache-2.0
#include "lockstep/model/gradient_sum.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <vector>

#include "core/aligned.h"
#include "model/sparse_copy.h"

namespace lockstep {
namespace {

using Sum = std::optional<std::vector<float>>;

// All rows of one step of one rank, in shard order, and how they are cut into batches.
struct Step {
  TreeNode hosted;
  std::vector<Index> rows_of_shard;  // of shard hosted.first + i
  Index features = 0, outputs = 0, capacity = 0;
  std::vector<float> a, g;

  Index rows() const { return std::accumulate(rows_of_shard.begin(), rows_of_shard.end(), Index{0}); }
};

Step random_step(std::mt19937& random, Index features, Index outputs) {
  const auto below = [&](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
  Step step;
  step.hosted.first = below(12);
  step.hosted.last = step.hosted.first + 1 + below(20);
  step.features = features;
  step.outputs = outputs;
  step.capacity = 1 + below(24);
  for (int shard = step.hosted.first; shard < step.hosted.last; ++shard)
    step.rows_of_shard.push_back(below(3) == 0 ? 0 : below(2) == 0 ? below(4) : below(60));
  std::normal_distribution<float> normal;
  step.a.resize(static_cast<std::size_t>(step.rows() * features));
  step.g.resize(static_cast<std::size_t>(step.rows() * outputs));
  for (float& x : step.a) x = below(3) == 0 ? 0.0F : normal(random);
  for (float& x : step.g) x = normal(random);
  return step;
}

void add(std::vector<float>& left, const std::vector<float>& right) {
  for (std::size_t i = 0; i < left.size(); ++i) left[i] += right[i];
}

// Rows of `step` cut into batches of at most `capacity`; a shard may end in the middle of one or span
// several.
struct Cut {
  Index begin = 0;
  std::vector<Segment> segments;
};

std::vector<Cut> cut(const Step& step) {
  std::vector<Cut> cuts(1);
  Index used = 0, row = 0;
  for (std::size_t i = 0; i < step.rows_of_shard.size(); ++i)
    for (Index place = 0; place < step.rows_of_shard[i];) {
      if (used == step.capacity) {
        cuts.push_back({row, {}});
        used = 0;
      }
      const Index take = std::min(step.capacity - used, step.rows_of_shard[i] - place);
      cuts.back().segments.push_back({step.hosted.first + static_cast<int>(i), used, used + take, place,
                                      place + take == step.rows_of_shard[i]});
      used += take;
      place += take;
      row += take;
    }
  return cuts;
}

// The sums of the shards by the definition: per piece of a shard one chain of FMAs per element, pieces added
// in order.
std::map<int, std::vector<float>> shard_sums(const Step& step, bool of_columns) {
  std::map<int, std::vector<float>> sums;
  const Index extent = of_columns ? 1 : step.features;
  for (const Cut& batch : cut(step))
    for (const Segment& segment : batch.segments) {
      std::vector<float> piece(static_cast<std::size_t>(extent * step.outputs), 0.0F);
      for (Index row = batch.begin + segment.begin; row < batch.begin + segment.end; ++row)
        for (Index j = 0; j < extent; ++j)
          for (Index k = 0; k < step.outputs; ++k) {
            const float x = of_columns ? 1.0F : step.a[static_cast<std::size_t>(row * step.features + j)];
            float& sum = piece[static_cast<std::size_t>(j * step.outputs + k)];
            sum = std::fma(x, step.g[static_cast<std::size_t>(row * step.outputs + k)], sum);
          }
      if (sums.contains(segment.shard))
        add(sums[segment.shard], piece);
      else
        sums[segment.shard] = piece;
    }
  return sums;
}

// The node of the canonical tree over [first, first + size), recursively.
Sum tree(const std::map<int, std::vector<float>>& sums, int first, int size) {
  if (size == 1) return sums.contains(first) ? Sum(sums.at(first)) : std::nullopt;
  Sum left = tree(sums, first, size / 2), right = tree(sums, first + size / 2, size / 2);
  if (!left) return right;
  if (right) add(*left, *right);
  return left;
}

// The largest complete subtrees that lie within the hosted range and hold any row.
std::vector<std::vector<float>> expected(const Step& step, bool of_columns) {
  const auto sums = shard_sums(step, of_columns);
  std::vector<std::vector<float>> nodes;
  for (int first = step.hosted.first; first < step.hosted.last;) {
    int size = 1;
    while (first % (2 * size) == 0 && first + 2 * size <= step.hosted.last) size *= 2;
    if (const Sum sum = tree(sums, first, size)) nodes.push_back(*sum);
    first += size;
  }
  return nodes;
}

struct Result {
  std::vector<std::vector<float>> product, columns;
};

// What the buffers held of each tensor when it was said to be complete.
struct Told {
  const ParameterLayout& layout;
  const std::vector<float*>& buffers;
  std::map<int, std::vector<std::vector<float>>> sums;

  static void listen(void* told, int tensor) { static_cast<Told*>(told)->copy(tensor); }
  void copy(int tensor) {
    EXPECT_FALSE(sums.contains(tensor));
    const Tensor& t = layout[tensor];
    for (const float* buffer : buffers)
      sums[tensor].emplace_back(buffer + t.offset, buffer + t.offset + t.size);
  }
};

// `tells`: when sums are complete, which must be what the step ends with.
Result run(const Step& step, bool is_sparse, bool tells = true) {
  ParameterLayout layout;
  layout.add("weight", {step.features, step.outputs}, true);
  layout.add("bias", {step.outputs}, false);
  std::vector<AlignedVector<float>> memory(
      static_cast<std::size_t>(GradientSum::buffers_needed(step.hosted)));
  std::vector<float*> buffers;
  for (auto& buffer : memory) {
    buffer.assign(static_cast<std::size_t>(layout.size()), 0.0F);
    buffers.push_back(buffer.data());
  }
  GradientSum sums(layout, buffers);
  Told told{layout, buffers, {}};
  if (tells) sums.tell(&Told::listen, &told);
  sums.begin_step(step.hosted);
  const std::vector<Cut> batches = cut(step);
  for (const Cut& batch : batches) {
    const Index rows = batch.segments.empty() ? 0 : batch.segments.back().end;
    sums.begin_batch(batch.segments, &batch == &batches.back());
    Features features{
        false, {step.a.data() + batch.begin * step.features, rows, step.features, step.features}, {}};
    const testing::SparseCopy sparse(features.dense);
    if (is_sparse) features = sparse.features();
    const ConstMatrix g{step.g.data() + batch.begin * step.outputs, rows, step.outputs, step.outputs};
    sums.add_columns(1, g);
    sums.add_product(0, features, g);
  }
  Result result;
  const auto nodes = sums.finish_step();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (Index gap = layout[0].size; gap < layout[1].offset; ++gap) EXPECT_EQ(buffers[i][gap], 0.0F);
    result.product.emplace_back(buffers[i], buffers[i] + layout[0].size);
    result.columns.emplace_back(buffers[i] + layout[1].offset,
                                buffers[i] + layout[1].offset + layout[1].size);
    if (!tells) continue;
    EXPECT_EQ(told.sums[0][i], result.product.back());
    EXPECT_EQ(told.sums[1][i], result.columns.back());
  }
  EXPECT_EQ(told.sums.size(), tells ? 2U : 0U);
  return result;
}

TEST(GradientSum, EqualsTheSerialTreeBitForBit) {
  std::mt19937 random(7);
  for (const Index features : {1, 5, 6, 13, 28, 49, 70})
    for (const Index outputs : {1, 2, 10, 16, 19, 33})
      for (int trial = 0; trial < 12; ++trial) {
        const Step step = random_step(random, features, outputs);
        const auto product = expected(step, false), columns = expected(step, true);
        for (const bool is_sparse : {false, true}) {
          SCOPED_TRACE(::testing::Message() << features << " × " << outputs << ", trial " << trial);
          const Result result = run(step, is_sparse);
          ASSERT_EQ(result.product, product) << (is_sparse ? "sparse" : "dense");
          ASSERT_EQ(result.columns, columns);
          ASSERT_EQ(run(step, is_sparse, false).product, product);
        }
      }
}

TEST(GradientSum, AddsShardsOfManyTilesInOrder) {
  std::mt19937 random(8);
  Step step = random_step(random, 9, 3);
  step.hosted = {3, 6};
  step.rows_of_shard = {2500, 0, 1100};
  step.capacity = Batch::kMaxRows;
  step.a.assign(static_cast<std::size_t>(step.rows() * 9), 0.1F);
  step.g.resize(static_cast<std::size_t>(step.rows() * 3));
  std::iota(step.g.begin(), step.g.end(), 1.0F);
  EXPECT_EQ(run(step, false).product, expected(step, false));
}

TEST(GradientSum, AStepWithoutRowsHasNoSums) {
  Step step;
  step.hosted = {0, 4};
  step.rows_of_shard = {0, 0, 0, 0};
  step.features = step.outputs = 3;
  step.capacity = 8;
  EXPECT_TRUE(run(step, false).product.empty());
}

TEST(GradientSum, IsUsedAgainInTheNextStep) {
  ParameterLayout layout;
  layout.add("bias", {1}, false);
  AlignedVector<float> memory(32, 0.0F);
  GradientSum sums(layout, {memory.data(), memory.data() + 16});
  const float g[] = {1.0F, 2.0F, 4.0F};
  for (int step = 0; step < 2; ++step) {
    sums.begin_step({5, 6});
    sums.begin_batch(std::vector<Segment>{{5, 0, 2, 0, false}});
    sums.add_columns(0, {g, 2, 1, 1});
    sums.begin_batch(std::vector<Segment>{{5, 0, 1, 2, true}});
    sums.add_columns(0, {g + 2, 1, 1, 1});
    ASSERT_EQ(sums.finish_step().size(), 1U);
    EXPECT_EQ(memory[0], 7.0F);
  }
}

}  // namespace
}  // namespace lockstep
