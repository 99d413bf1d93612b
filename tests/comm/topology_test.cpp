// SPDX-License-Identifier: Apache-2.0
#include "comm/topology.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "lockstep/comm/mpi_session.h"
#include "support/thread_communicator.h"

namespace lockstep {
namespace {

// The ranks of another communicator as if they were on machines of `ranks_per_node` ranks.
class OnNodes final : public Communicator {
 public:
  OnNodes(Communicator& inner, int ranks_per_node) : inner_(inner), ranks_per_node_(ranks_per_node) {}

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  std::string host() const override { return std::string("n").append(std::to_string(node())); }
  int node() const override { return rank() / ranks_per_node_; }
  void exchange(std::span<const Send> sends, std::span<const Receive> receives) override {
    inner_.exchange(sends, receives);
  }
  void sum_in_any_order(float* data, std::size_t count) override { inner_.sum_in_any_order(data, count); }
  void abort(int exit_code) override { inner_.abort(exit_code); }

 private:
  Communicator& inner_;
  int ranks_per_node_;
};

TEST(Topology, FindsNodesInTheOrderOfRanks) {
  run_ranks(5, [](Communicator& inner) {
    OnNodes communicator(inner, 2);
    const Topology topology = find_topology(communicator);
    EXPECT_EQ(topology.nodes.size(), 3U);
    EXPECT_EQ(topology.node, inner.rank() / 2);
    EXPECT_EQ(topology.rank_on_node, inner.rank() % 2);
    EXPECT_EQ(topology.here().host, communicator.host());
    EXPECT_EQ(topology.here().first_rank, inner.rank() / 2 * 2);
    EXPECT_EQ(topology.here().ranks, inner.rank() == 4 ? 1 : 2);
    EXPECT_GE(topology.here().cores, topology.cores);
  });
}

TEST(Topology, MoreRanksThanProcessorsAreTooMany) {
  Topology topology;
  topology.nodes = {{"n0", 0, 2, 2}, {"n1", 2, 2, 2}};
  EXPECT_FALSE(topology.is_oversubscribed());
  topology.nodes[1].ranks = 3;
  EXPECT_TRUE(topology.is_oversubscribed());
}

TEST(MpiSession, IsNamedByTheLaunchersVariables) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS"})
    unsetenv(name);
  EXPECT_FALSE(launched_by_mpi());
  setenv("PMIX_RANK", "0", 1);
  EXPECT_TRUE(launched_by_mpi());
  unsetenv("PMIX_RANK");
}

TEST(MpiSession, WithoutOneThereIsOneRank) {
  EXPECT_EQ(make_communicator(1)->size(), 1);
}

}  // namespace
}  // namespace lockstep
