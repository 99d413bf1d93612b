// SPDX-License-Identifier: Apache-2.0
#pragma once

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

}  // namespace lockstep
