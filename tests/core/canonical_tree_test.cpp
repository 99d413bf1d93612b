// SPDX-License-Identifier: Apache-2.0
#include "lockstep/core/canonical_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "support/canonical_sum.h"

namespace lockstep {
namespace {

// Sums are texts like "((0+1)+2)", so that their grouping is what is compared.
std::string plus(const std::string& left, const std::string& right) {
  return "(" + left + "+" + right + ")";
}

std::string tree_of(const std::vector<char>& is_present) {
  const int shards = static_cast<int>(is_present.size());
  const auto leaf = [&](int s) -> std::optional<std::string> {
    if (s >= shards || is_present[static_cast<std::size_t>(s)] == 0) return std::nullopt;
    return std::to_string(s);
  };
  return canonical_sum<std::string>(0, tree_size(shards), leaf, plus).value_or("");
}

// A carry stack together with its sums.
class Sums {
 public:
  explicit Sums(int first) : stack_(first) {}

  void skip_to(int shard) { add(stack_.skip_to(shard)); }
  void push(TreeNode node, const std::string& sum) {
    sums_.push_back(sum);
    add(stack_.push(node));
  }
  void join() { add(stack_.join()); }
  void reset(int first) {
    stack_.reset(first);
    sums_.clear();
  }

  const CarryStack& stack() const { return stack_; }
  const std::vector<std::string>& sums() const { return sums_; }
  std::size_t deepest() const { return deepest_; }

 private:
  void add(int additions) {
    deepest_ = std::max(deepest_, sums_.size());
    for (int i = 0; i < additions; ++i) {
      ASSERT_GE(sums_.size(), 2U);
      const std::string right = sums_.back();
      sums_.pop_back();
      sums_.back() = plus(sums_.back(), right);
    }
    EXPECT_EQ(sums_.size(), static_cast<std::size_t>(stack_.depth()));
  }

  CarryStack stack_;
  std::vector<std::string> sums_;
  std::size_t deepest_ = 0;
};

void add_range(Sums& sums, TreeNode range, const std::vector<char>& is_present) {
  for (int shard = range.first; shard < range.last; ++shard) {
    if (is_present[static_cast<std::size_t>(shard)] == 0) continue;
    sums.skip_to(shard);
    sums.push({shard, shard + 1}, std::to_string(shard));
  }
  sums.skip_to(range.last);
}

std::vector<char> random_presence(std::mt19937& random, int shards) {
  const double share = std::uniform_real_distribution<double>(0, 1.3)(random);
  std::bernoulli_distribution is_present(std::min(share, 1.0));
  std::vector<char> result(static_cast<std::size_t>(shards));
  for (char& flag : result) flag = is_present(random) ? 1 : 0;
  return result;
}

std::vector<int> random_borders(std::mt19937& random, int shards) {
  std::vector<int> borders{0, shards};
  const int cuts = std::uniform_int_distribution<int>(0, 9)(random);
  for (int i = 0; i < cuts; ++i) borders.push_back(std::uniform_int_distribution<int>(0, shards)(random));
  std::sort(borders.begin(), borders.end());
  return borders;
}

TEST(CarryStack, JoinsLeavesInTheOrderOfTheTree) {
  EXPECT_EQ(tree_of({1, 1, 1, 1, 1}), "(((0+1)+(2+3))+4)");
  EXPECT_EQ(tree_of({1, 0, 0, 1, 0, 1, 1}), "((0+3)+(5+6))");
  Sums sums(0);
  add_range(sums, {0, 7}, {1, 0, 0, 1, 0, 1, 1});
  sums.join();
  EXPECT_EQ(sums.sums(), std::vector<std::string>{"((0+3)+(5+6))"});
}

TEST(CarryStack, LeavesTheCompleteSubtreesOfARange) {
  Sums sums(3);
  add_range(sums, {3, 11}, std::vector<char>(11, 1));
  EXPECT_EQ(sums.sums(), (std::vector<std::string>{"3", "((4+5)+(6+7))", "(8+9)", "10"}));
}

TEST(CarryStack, AnyRangesPushedInOrderGiveTheTreeOfOne) {
  std::mt19937 random(20240611);
  for (int round = 0; round < 4000; ++round) {
    const int shards = std::uniform_int_distribution<int>(1, 100)(random);
    const std::vector<char> is_present = random_presence(random, shards);
    const std::vector<int> borders = random_borders(random, shards);
    Sums whole(0);
    for (std::size_t r = 0; r + 1 < borders.size(); ++r) {
      Sums part(borders[r]);
      add_range(part, {borders[r], borders[r + 1]}, is_present);
      EXPECT_LE(part.deepest(),
                static_cast<std::size_t>(CarryStack::depth_needed(borders[r], borders[r + 1])));
      for (std::size_t i = 0; i < part.sums().size(); ++i) {
        whole.skip_to(part.stack().nodes()[i].first);
        whole.push(part.stack().nodes()[i], part.sums()[i]);
      }
    }
    whole.join();
    const std::string expected = tree_of(is_present);
    ASSERT_EQ(whole.sums().empty() ? "" : whole.sums()[0], expected) << "round " << round << ", S " << shards;
  }
}

TEST(CarryStack, ForgetsAllAtReset) {
  Sums sums(0);
  add_range(sums, {0, 3}, {1, 1, 1});
  sums.reset(4);
  EXPECT_EQ(sums.stack().depth(), 0);
  sums.push({4, 5}, "4");
  sums.push({5, 6}, "5");
  EXPECT_EQ(sums.sums(), std::vector<std::string>{"(4+5)"});
}

TEST(CarryStack, KnowsTheDepthItNeeds) {
  EXPECT_EQ(CarryStack::depth_needed(0, 0), 0);
  EXPECT_EQ(CarryStack::depth_needed(5, 6), 1);
  EXPECT_EQ(CarryStack::depth_needed(0, 2), 2);
  EXPECT_EQ(CarryStack::depth_needed(0, 64), 7);
  EXPECT_EQ(CarryStack::depth_needed(1, 64), 5 + 6);
}

}  // namespace
}  // namespace lockstep
