// SPDX-License-Identifier: Apache-2.0
// After a hundred steps a training step asks the heap for nothing.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <vector>

#include "lockstep/run.h"
#include "support/experiment.h"
#include "support/thread_communicator.h"
#include "train/options.h"
#include "train/trainer.h"

namespace {

std::atomic<bool> is_counting{false};
std::atomic<long> allocations{0};

void* forward(const char* name, std::size_t a, std::size_t b) {
  if (is_counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
  using Two = void* (*)(std::size_t, std::size_t);
  return reinterpret_cast<Two>(dlsym(RTLD_NEXT, name))(a, b);
}

}  // namespace

// Every way to the heap of this program goes through these; operator new calls malloc or aligned_alloc.
extern "C" void* __libc_malloc(std::size_t size);  // NOLINT: glibc's own name
extern "C" void* malloc(std::size_t size) {
  if (is_counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return forward("aligned_alloc", alignment, size);
}

namespace lockstep::testing {
namespace {

constexpr Index kWarmUp = 100;
constexpr Index kCounted = 50;

class Counter final : public StepObserver {
 public:
  void on_step(const StepReport& report) override {
    if (report.step == kWarmUp) is_counting = true;
    if (report.step == kWarmUp + kCounted) is_counting = false;
  }
};

long count_allocations(int ranks, std::vector<std::string> settings) {
  settings.insert(settings.end(),
                  {"train.steps=" + std::to_string(kWarmUp + kCounted + 1), "eval.train=never"});
  const Options options = options_of(settings);
  const Plugins plugins = builtin_plugins();
  allocations = 0;
  run_ranks(ranks, [&](Communicator& communicator) {
    LoadPlan plan;
    plan.shards = shard_count(options);
    plan.hosted = hosted_shards(communicator.rank(), ranks, plan.shards);
    const DataSets data = load_datasets(options, plugins.formats, plan);
    TrainedModel model = make_model(options, plugins, schema_of(data.train));
    Trainer trainer(options, plugins, communicator, data, model);
    Counter counter;
    if (communicator.rank() == 0) trainer.add_observer(counter);
    trainer.run();
  });
  return allocations;
}

const std::vector<std::string> kMlp = {"data.train=demo:blobs?rows=40000&features=40&classes=5",
                                       "model.name=mlp",
                                       "model.hidden=64,32",
                                       "model.dropout=0.1",
                                       "optim.name=adam",
                                       "optim.clip_norm=1",
                                       "train.average=ema"};
const std::vector<std::string> kSparse = {"data.train=demo:sparse?rows=40000&features=300&nonzeros=10",
                                          "model.name=logistic", "optim.name=ftrl"};
const std::vector<std::string> kWide = {"data.train=demo:sparse?rows=40000&features=30000&nonzeros=10",
                                        "model.name=logistic", "optim.l1=0.0001", "optim.l2=0.0001"};
const std::vector<std::string> kLamb = {"data.train=demo:blobs?rows=40000&features=9&classes=4",
                                        "model.name=softmax", "optim.name=lamb"};

TEST(StepAllocation, CountingWorks) {
  allocations = 0;
  is_counting = true;
  std::vector<int> some(1000);
  is_counting = false;
  EXPECT_EQ(allocations, 1) << some.size();
}

TEST(StepAllocation, NoneOnOneRank) {
  EXPECT_EQ(count_allocations(1, kMlp), 0);
  EXPECT_EQ(count_allocations(1, kSparse), 0);
  EXPECT_EQ(count_allocations(1, kWide), 0);
  EXPECT_EQ(count_allocations(1, kLamb), 0);
}

TEST(StepAllocation, NoneOnTwoThreadBackedRanks) {
  EXPECT_EQ(count_allocations(2, kMlp), 0);
  EXPECT_EQ(count_allocations(2, kSparse), 0);
  EXPECT_EQ(count_allocations(2, kWide), 0);
  EXPECT_EQ(count_allocations(2, kLamb), 0);
  auto by_messages = kWide;
  by_messages.push_back("comm.shared_memory=false");
  EXPECT_EQ(count_allocations(2, by_messages), 0);
}

// All of these measure the gradient noise every third step; here by pairs of steps.
TEST(StepAllocation, NoneForNoiseOfPairs) {
  for (const int ranks : {1, 2}) {
    auto one_shard = kMlp, single_rows = kWide;
    one_shard.push_back("train.shards=1");
    single_rows.push_back("train.batch=1");
    EXPECT_EQ(count_allocations(ranks, one_shard), 0) << ranks;
    EXPECT_EQ(count_allocations(ranks, single_rows), 0) << ranks;
  }
}

TEST(StepAllocation, NoneBetweenNodes) {
  for (const std::string nodes : {"1", "2", "3"}) {
    auto settings = kMlp;
    settings.insert(settings.end(),
                    {"comm.ranks_per_node=" + nodes, "comm.bucket_kib=16", "model.hidden=90,80"});
    EXPECT_EQ(count_allocations(4, settings), 0) << nodes;
    settings.back() = "comm.bucket_kib=4096";
    EXPECT_EQ(count_allocations(4, settings), 0) << nodes;
  }
}

}  // namespace
}  // namespace lockstep::testing
