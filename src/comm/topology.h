// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lockstep/comm/communicator.h"

namespace lockstep {

/// The ranks of one machine.
struct Node {
  std::string host;
  int first_rank = 0;
  int ranks = 0;
  int cores = 0;  ///< logical processors that any of its ranks may use
};

/// Where the ranks of a job are.
struct Topology {
  std::vector<Node> nodes;
  int node = 0;  ///< of this rank
  int rank_on_node = 0;
  int cores = 0;  ///< logical processors this rank may use

  const Node& here() const { return nodes[static_cast<std::size_t>(node)]; }
  /// Some node has more ranks than processors, so ranks that wait must let others run.
  bool is_oversubscribed() const;
};

/// Collective.
Topology find_topology(Communicator& communicator);

/// Where one rank is.
struct RankPlace {
  int machine = 0;
  int domain = -1;  ///< as NumaDomains::domain_of()
};

/// The numbers that ranks get, given the places of those numbered by the launcher: machine by machine, there
/// NUMA domain by domain, each in the order of their first ranks. The first rank stays the first.
std::vector<int> number_ranks(std::span<const RankPlace> places);

/// What counts as a node: ranks that follow each other and may use the same memory.
struct NodeRule {
  bool by_domain = false;  ///< each NUMA domain of a machine, in the place of the machine
  /// Sizes of the nodes on each machine, in order; the last one is repeated. Empty: as large as can be.
  std::vector<std::int64_t> ranks_per_node;
};

/// Ranks of each node in order, and why a part of the rule was not followed, for the user.
struct NodeSizes {
  std::vector<int> sizes;
  std::string note;
};

/// By rank.
NodeSizes cut_into_nodes(std::span<const RankPlace> places, const NodeRule& rule);
/// Collective.
NodeSizes find_nodes(Communicator& communicator, const NodeRule& rule);

}  // namespace lockstep
