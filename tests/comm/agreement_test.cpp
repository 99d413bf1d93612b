// SPDX-License-Identifier: Apache-2.0
#include "comm/agreement.h"

#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <stdexcept>
#include <string>

#include "lockstep/core/error.h"
#include "support/thread_communicator.h"

namespace lockstep {
namespace {

// "code message" of what `work` throws, on a rank that goes on afterwards.
std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.code())) + " " + error.what();
  }
  return "";
}

void expect_on_all_ranks(int ranks, const std::string& expected,
                         const std::function<void(Communicator&)>& work) {
  run_ranks(ranks, [&](Communicator& communicator) {
    EXPECT_EQ(error_of([&] { work(communicator); }), expected) << "rank " << communicator.rank();
    barrier(communicator);
  });
}

TEST(Agreement, IsSilentWhereAllAgree) {
  for (int ranks : {1, 2, 3, 5})
    expect_on_all_ranks(ranks, "",
                        [](Communicator& communicator) { require_agreement(communicator, "build", "abc"); });
}

TEST(Agreement, NamesRanksHostsAndValuesOnEveryRank) {
  expect_on_all_ranks(
      4,
      "76 the ranks do not have the same build: ranks 0 on thread0, 1 on thread1, 3 on thread3: "
      "\"abc\"; rank 2 on thread2: \"abd\".",
      [](Communicator& communicator) {
        require_agreement(communicator, "build", communicator.rank() == 2 ? "abd" : "abc");
      });
}

TEST(Agreement, AnErrorOfOneRankBecomesTheErrorOfAll) {
  expect_on_all_ranks(3, "65 rank 1 on thread1: data.csv:3: not a number", [](Communicator& communicator) {
    on_all_ranks(communicator, [&] {
      if (communicator.rank() == 1) throw Error(ExitCode::kData, "data.csv:3: not a number");
      if (communicator.rank() == 2) throw Error(ExitCode::kIo, "disk full");
    });
  });
}

TEST(Agreement, AnErrorThatAllHaveIsShownAsItIs) {
  expect_on_all_ranks(3, "78 train.bach: unknown key", [](Communicator& communicator) {
    on_all_ranks(communicator, [] { throw Error(ExitCode::kConfig, "train.bach: unknown key"); });
  });
}

TEST(Agreement, ForeignExceptionsAreInternalErrors) {
  expect_on_all_ranks(2, "70 rank 0 on thread0: out of luck", [](Communicator& communicator) {
    on_all_ranks(communicator, [&] {
      if (communicator.rank() == 0) throw std::runtime_error("out of luck");
    });
  });
}

TEST(Agreement, AMachineWithoutMemoryIsNamed) {
  run_ranks(2, [](Communicator& communicator) {
    const std::string told = error_of([&] {
      on_all_ranks(communicator, [&] {
        if (communicator.rank() == 1) throw std::bad_alloc();
      });
    });
    EXPECT_TRUE(told.starts_with("69 rank 1 on thread1: memory ran out")) << told;
    barrier(communicator);
  });
}

TEST(Agreement, NoErrorNoException) {
  expect_on_all_ranks(3, "", [](Communicator& communicator) { on_all_ranks(communicator, [] {}); });
}

}  // namespace
}  // namespace lockstep
