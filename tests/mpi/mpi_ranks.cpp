// SPDX-License-Identifier: Apache-2.0
// What holds on thread-backed ranks, once more on ranks of a real MPI. Every rank runs every test.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "comm/agreement.h"
#include "comm/mpi_communicator.h"
#include "comm/rank_record.h"
#include "comm/topology.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"
#include "lockstep/reduce/vector_reduction.h"
#include "reduce/registry.h"
#include "support/reduction_problem.h"
#include "support/sparse_problem.h"
#include "train/watchdog.h"

namespace lockstep {
namespace {

constexpr double kTimeoutS = 20;

class MpiRanks : public testing::Test {
 protected:
  std::unique_ptr<Communicator> owner_ = make_communicator(kTimeoutS);
  Communicator& communicator_ = *owner_;
  int rank_ = communicator_.rank();
  int ranks_ = communicator_.size();
};

TEST_F(MpiRanks, AreLaunchedAndNumbered) {
  EXPECT_TRUE(launched_by_mpi());
  int world_size = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &world_size);
  EXPECT_EQ(ranks_, world_size);
  std::vector<int> ranks(static_cast<std::size_t>(ranks_));
  all_gather(communicator_, &rank_, sizeof rank_, ranks.data());
  for (int r = 0; r < ranks_; ++r) EXPECT_EQ(ranks[static_cast<std::size_t>(r)], r);
}

TEST_F(MpiRanks, KnowTheirNode) {
  const Topology topology = find_topology(communicator_);
  EXPECT_EQ(topology.nodes.size(), 1U);
  EXPECT_EQ(topology.node, 0);
  EXPECT_EQ(topology.rank_on_node, rank_);
  EXPECT_EQ(topology.here().ranks, ranks_);
  EXPECT_EQ(topology.here().host, communicator_.host());
  EXPECT_GE(topology.cores, 1);
  EXPECT_EQ(topology.is_oversubscribed(), ranks_ > topology.here().cores);
}

TEST_F(MpiRanks, ExchangeInARing) {
  constexpr std::size_t kMost = 1 << 20;
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5000}, kMost}) {
    std::vector<int> mine(size, rank_);
    std::vector<int> theirs(size, -1);
    const int left = (rank_ - 1 + ranks_) % ranks_;
    const Send send{(rank_ + 1) % ranks_, mine.data(), size * sizeof(int)};
    const Receive receive{left, theirs.data(), size * sizeof(int)};
    communicator_.exchange({&send, 1}, {&receive, 1});
    EXPECT_EQ(std::count(theirs.begin(), theirs.end(), left), static_cast<std::ptrdiff_t>(size));
  }
}

// Several exchanges are begun before the first is finished; what is between two ranks comes in order.
TEST_F(MpiRanks, ExchangeWhileTheyWork) {
  constexpr std::size_t kCount = 100000;
  std::vector<std::vector<int>> mine, theirs(3, std::vector<int>(kCount, -1));
  for (int i = 0; i < 3; ++i) mine.emplace_back(kCount, rank_ * 10 + i);
  const int left = (rank_ - 1 + ranks_) % ranks_;
  for (std::vector<int>& data : theirs) {
    const Receive receive{left, data.data(), kCount * sizeof(int)};
    communicator_.begin_exchange({}, {&receive, 1});
  }
  for (const std::vector<int>& data : mine) {
    const Send send{(rank_ + 1) % ranks_, data.data(), kCount * sizeof(int)};
    communicator_.begin_exchange({&send, 1}, {});
    communicator_.advance_exchanges();
  }
  communicator_.finish_exchanges();
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(std::count(theirs[static_cast<std::size_t>(i)].begin(),
                         theirs[static_cast<std::size_t>(i)].end(), left * 10 + i),
              static_cast<std::ptrdiff_t>(kCount));
  communicator_.check_peers();
}

// Each rank places a part near itself; all see all of it, zero at first, and too much of it is refused on
// all.
TEST_F(MpiRanks, ShareMemory) {
  constexpr std::size_t kPart = 10000;  // no multiple of a page
  std::string why_not;
  const auto index = static_cast<std::size_t>(rank_);
  const ByteRange mine{index * kPart, (index + 1) * kPart};
  const std::size_t size = static_cast<std::size_t>(ranks_) * kPart + 5000;
  const auto memory = communicator_.share_memory(communicator_, size, {&mine, 1}, why_not);
  EXPECT_NE(memory, nullptr) << why_not;
  if (memory) {
    for (std::size_t i = 0; i < size; i += 97) EXPECT_EQ(memory.get()[i], std::byte{0});
    barrier(communicator_);
    std::fill(memory.get() + mine.begin, memory.get() + mine.end, static_cast<std::byte>(rank_ + 1));
    barrier(communicator_);
    for (std::size_t i = 0; i < static_cast<std::size_t>(ranks_) * kPart; i += 97)
      EXPECT_EQ(memory.get()[i], static_cast<std::byte>(i / kPart + 1));
  }
  const std::size_t too_much = std::size_t{1} << 46;
  const ByteRange greedy{0, rank_ == ranks_ - 1 ? too_much : 1};
  EXPECT_EQ(communicator_.share_memory(communicator_, too_much, {&greedy, 1}, why_not), nullptr);
  EXPECT_NE(why_not, "");
}

TEST_F(MpiRanks, CutLargeMessages) {
  MpiCommunicator cutting(kTimeoutS, 1000);
  for (std::size_t size : {999U, 1000U, 1001U, 123457U}) {
    std::vector<char> mine(size);
    for (std::size_t i = 0; i < size; ++i) mine[i] = static_cast<char>(i * i % 251);
    std::vector<char> theirs(size, 0);
    const Send send{(rank_ + 1) % ranks_, mine.data(), size};
    const Receive receive{(rank_ - 1 + ranks_) % ranks_, theirs.data(), size};
    cutting.exchange({&send, 1}, {&receive, 1});
    EXPECT_TRUE(theirs == mine) << size;
  }
}

TEST_F(MpiRanks, Collectives) {
  int data = rank_ == 0 ? 42 : 0;
  broadcast(communicator_, &data, sizeof data);
  EXPECT_EQ(data, 42);
  const std::vector<std::string> texts =
      all_gather(communicator_, std::string(static_cast<std::size_t>(rank_), 'x'));
  for (int r = 0; r < ranks_; ++r)
    EXPECT_EQ(texts.at(static_cast<std::size_t>(r)).size(), static_cast<std::size_t>(r));
  for (int round = 0; round < 100; ++round) barrier(communicator_);
  std::array<float, 2> sums{1.0F, static_cast<float>(rank_)};
  communicator_.sum_in_any_order(sums.data(), sums.size());
  EXPECT_EQ(sums[0], static_cast<float>(ranks_));
  EXPECT_EQ(sums[1], static_cast<float>(ranks_ * (ranks_ - 1) / 2));
}

TEST_F(MpiRanks, SayWhereTheyDisagree) {
  require_agreement(communicator_, "build", "same");
  std::string message;
  try {
    require_agreement(communicator_, "build", rank_ == ranks_ - 1 ? "b" : "a");
  } catch (const Error& error) {
    message = error.what();
    EXPECT_EQ(error.code(), ExitCode::kDisagree);
  }
  EXPECT_EQ(message.find("same build") != std::string::npos, ranks_ > 1) << message;
  barrier(communicator_);
}

TEST_F(MpiRanks, ReduceToTheBitsOfTheTree) {
  for (const std::vector<char>& has_rows :
       {std::vector<char>(8, 1), std::vector<char>(5, 1), {0, 0, 1, 0, 1, 1, 1, 0}}) {
    const ReductionProblem problem({9000, 3, 70000}, has_rows, 4);
    const std::vector<float> expected = problem.expected();
    for (const char* name : {"canonical", "mpi", "canonical on nodes of one and more ranks"}) {
      const auto registry = reducer_registry();
      ReducerContext context{&communicator_, &problem.layout(), problem.shards()};
      const bool is_canonical = std::string_view(name) != "mpi";
      if (std::string_view(name).size() > 9 && ranks_ > 1) {
        context.node_sizes = {1, ranks_ - 1};
        context.bucket_bytes = 60000;
      }
      const auto reducer = registry.find(is_canonical ? "canonical" : "mpi").create(context);
      for (int step = 0; step < 3; ++step) {
        Tail total;
        const float* sum = problem.run(*reducer, rank_, ranks_, total, step > 0);
        const Slice slice = reducer->slice();
        std::vector<float> whole(expected.size());
        std::copy_n(sum, slice.end - slice.begin, whole.data() + slice.begin);
        reducer->publish(whole.data());
        EXPECT_EQ(total.votes, problem.expected_tail(ranks_).votes);
        if (is_canonical) {
          EXPECT_TRUE(whole == expected);
          EXPECT_EQ(total.sums, problem.expected_tail(ranks_).sums);
        } else {
          const float largest = std::abs(*std::max_element(expected.begin(), expected.end()));
          for (std::size_t i = 0; i < whole.size(); i += 97)
            EXPECT_NEAR(whole[i], expected[i], 1e-5F * largest);
        }
      }
    }
  }
}

TEST_F(MpiRanks, AddSparseSumsToTheBitsOfTheTree) {
  for (const bool shares_memory : {true, false})
    for (const Index width : {1, 3})
      expect_sparse_tree(SparseProblem(9000, width, 5, std::vector<char>(8, 1), 6), communicator_,
                         shares_memory);
}

// Last: a communicator is of no use after its deadline.
TEST_F(MpiRanks, WaitNoLongerThanTheirDeadline) {
  MpiCommunicator impatient(0.2);
  std::string message;
  if (rank_ == 0 && ranks_ > 1) {
    int never = 0;
    const Receive receive{1, &never, sizeof never};
    try {
      impatient.exchange({}, {&receive, 1});
    } catch (const Error& error) {
      message = error.what();
      EXPECT_EQ(error.code(), ExitCode::kStopped);
    }
    EXPECT_NE(message.find("for rank 1."), std::string::npos) << message;
  }
  barrier(communicator_);
  MpiCommunicator another(0.2);
  if (rank_ == 0 && ranks_ > 1) {
    int never = 0;
    const Receive receive{1, &never, sizeof never};
    another.begin_exchange({}, {&receive, 1});
    EXPECT_THROW(another.finish_exchanges(), Error);
  }
  barrier(communicator_);
}

// Successes of rank 0 and failures of all are enough to read.
class FailuresOnly : public testing::EmptyTestEventListener {
 public:
  explicit FailuresOnly(int rank) : rank_(rank) {}
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.failed())
      std::fprintf(stderr, "rank %d: %s:%d: %s\n", rank_, result.file_name() ? result.file_name() : "?",
                   result.line_number(), result.summary());
  }

 private:
  int rank_;
};

// The last rank loops in its step, for ever, or has not come to MPI_Finalize where the others are.
void stand_still(Communicator& communicator, Watchdog& watchdog, std::string_view where) {
  watchdog.start(communicator);
  RankRecord& record = record_of(communicator);
  record.begin_step(1);
  const bool is_last = communicator.rank() == communicator.size() - 1;
  for (std::atomic<bool> is_over{false}; is_last && !is_over;) continue;
  record.begin(where == "finalize" ? RankPhase::kFinalize : RankPhase::kExchange);
  if (where == "exchange") barrier(communicator);
  MPI_Finalize();
}

int run_all(int argc, char** argv) {
  Watchdog watchdog({2, kTimeoutS}, process_actions(true));
  const MpiSession session;
  const auto communicator = make_communicator(kTimeoutS);
  if (argc > 1 && std::string_view(argv[1]) == "--abort") {
    if (communicator->rank() == communicator->size() - 1) communicator->abort(76);
    std::this_thread::sleep_for(std::chrono::seconds(40));
    return 0;
  }
  if (argc > 2 && std::string_view(argv[1]) == "--stall")
    stand_still(*communicator, watchdog, std::string_view(argv[2]));
  testing::InitGoogleTest(&argc, argv);
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (communicator->rank() > 0) {
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailuresOnly(communicator->rank()));
  }
  return RUN_ALL_TESTS();
}

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) {
  return lockstep::run_all(argc, argv);
}
