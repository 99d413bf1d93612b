// SPDX-License-Identifier: Apache-2.0
#include "comm/topology.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "comm/numa_domains.h"
#include "lockstep/comm/mpi_session.h"
#include "support/temporary_folder.h"
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

std::vector<RankPlace> places(const std::vector<std::pair<int, int>>& machines_and_domains) {
  std::vector<RankPlace> result;
  for (const auto& [machine, domain] : machines_and_domains) result.push_back({machine, domain});
  return result;
}

using Sizes = std::vector<int>;

// mpirun --map-by node deals ranks out to machines in turn, --map-by numa to domains.
TEST(Ranks, AreNumberedMachineByMachineAndDomainByDomain) {
  EXPECT_EQ(number_ranks(places({{0, 0}, {1, 0}, {0, 0}, {1, 0}, {0, 0}})), (Sizes{0, 3, 1, 4, 2}));
  EXPECT_EQ(number_ranks(places({{0, 1}, {0, 0}, {0, 1}, {0, 0}})), (Sizes{0, 2, 1, 3}));
  EXPECT_EQ(number_ranks(places({{5, -1}, {2, 0}, {5, 0}, {2, 1}, {5, -1}})), (Sizes{0, 3, 2, 4, 1}));
  EXPECT_EQ(number_ranks(places({{0, 0}, {0, 0}, {1, 0}})), (Sizes{0, 1, 2}));
}

TEST(Nodes, AreMachines) {
  const auto ranks = places({{0, 0}, {0, 1}, {0, 1}, {1, 0}, {1, -1}});
  EXPECT_EQ(cut_into_nodes(ranks, {}).sizes, (Sizes{3, 2}));
  EXPECT_EQ(cut_into_nodes(ranks, {false, {0}}).sizes, (Sizes{3, 2}));
  EXPECT_EQ(cut_into_nodes(ranks, {}).note, "");
}

TEST(Nodes, AreGroupsOfRanksThatStayOnOneMachine) {
  const auto one = places({{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}});
  EXPECT_EQ(cut_into_nodes(one, {false, {2}}).sizes, (Sizes{2, 2, 2}));
  EXPECT_EQ(cut_into_nodes(one, {false, {4}}).sizes, (Sizes{4, 2}));
  EXPECT_EQ(cut_into_nodes(one, {false, {2, 4}}).sizes, (Sizes{2, 4}));
  EXPECT_EQ(cut_into_nodes(one, {false, {3, 1}}).sizes, (Sizes{3, 1, 1, 1}));
  EXPECT_EQ(cut_into_nodes(one, {false, {1, 0}}).sizes, (Sizes{1, 5}));
  EXPECT_EQ(cut_into_nodes(one, {false, {9}}).sizes, (Sizes{6}));
  const auto two = places({{0, 0}, {0, 0}, {0, 0}, {1, 0}, {1, 0}, {1, 0}});
  EXPECT_EQ(cut_into_nodes(two, {false, {2}}).sizes, (Sizes{2, 1, 2, 1}));
  EXPECT_EQ(cut_into_nodes(two, {false, {1, 2}}).sizes, (Sizes{1, 2, 1, 2}));
}

TEST(Nodes, AreNumaDomainsWhereAllRanksAreBoundToOne) {
  const auto bound = places({{0, 0}, {0, 0}, {0, 1}, {0, 1}, {1, 0}, {1, 1}});
  EXPECT_EQ(cut_into_nodes(bound, {true, {}}).sizes, (Sizes{2, 2, 1, 1}));
  EXPECT_EQ(cut_into_nodes(bound, {true, {1}}).sizes, (Sizes{1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(cut_into_nodes(bound, {true, {}}).note, "");
  const auto unbound = places({{0, 0}, {0, 0}, {0, -1}, {1, 1}});
  EXPECT_EQ(cut_into_nodes(unbound, {true, {}}).sizes, (Sizes{3, 1}));
  EXPECT_NE(cut_into_nodes(unbound, {true, {}}).note.find("not every rank is bound"), std::string::npos);
}

// What the kernel of a machine with two domains of four processors says, and one with memory alone.
TEST(NumaDomains, AreReadFromTheKernel) {
  const lockstep::testing::TemporaryFolder folder;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::filesystem::create_directories(folder.path() / name);
    std::ofstream(folder.path() / name / "cpulist") << text;
  };
  write("node0", "0-1,4-5\n");
  write("node1", "2-3,6,7\n");
  write("node10", "\n");
  write("power", "0-7\n");
  const NumaDomains domains(folder.path());
  EXPECT_EQ(domains.count(), 2);
  const auto domain_of = [&](const std::vector<int>& processors) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int processor : processors) CPU_SET(static_cast<std::size_t>(processor), &set);
    return domains.domain_of(set);
  };
  EXPECT_EQ(domain_of({0}), 0);
  EXPECT_EQ(domain_of({1, 4, 5}), 0);
  EXPECT_EQ(domain_of({2, 3, 6, 7}), 1);
  EXPECT_EQ(domain_of({1, 2}), -1);
  EXPECT_EQ(domain_of({8}), -1);
  EXPECT_EQ(domain_of({}), -1);
  EXPECT_EQ(NumaDomains(folder.path() / "missing").count(), 0);
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
