// SPDX-License-Identifier: Apache-2.0
#include "comm/topology.h"

#include <sched.h>

#include <algorithm>

namespace lockstep {

namespace {

struct Place {
  int node = 0;
  cpu_set_t processors{};
};

Place find_place(const Communicator& communicator) {
  Place place;
  place.node = communicator.node();
  CPU_ZERO(&place.processors);
  // Fails on machines of more than 1,024 processors; then nothing is known, and nothing oversubscribed.
  if (sched_getaffinity(0, sizeof place.processors, &place.processors) != 0)
    for (std::size_t i = 0; i < CPU_SETSIZE; ++i) CPU_SET(i, &place.processors);
  return place;
}

}  // namespace

bool Topology::is_oversubscribed() const {
  return std::any_of(nodes.begin(), nodes.end(), [](const Node& here) { return here.ranks > here.cores; });
}

Topology find_topology(Communicator& communicator) {
  const Place mine = find_place(communicator);
  std::vector<Place> places(static_cast<std::size_t>(communicator.size()));
  all_gather(communicator, &mine, sizeof mine, places.data());
  const std::vector<std::string> hosts = all_gather(communicator, communicator.host());

  Topology topology;
  topology.node = mine.node;
  topology.cores = CPU_COUNT(&mine.processors);
  cpu_set_t seen;
  for (std::size_t r = 0; r < places.size(); ++r) {
    if (places[r].node == static_cast<int>(topology.nodes.size())) {
      topology.nodes.push_back({hosts[r], static_cast<int>(r), 0, 0});
      CPU_ZERO(&seen);
    }
    Node& node = topology.nodes.back();
    CPU_OR(&seen, &seen, &places[r].processors);
    node.cores = CPU_COUNT(&seen);
    ++node.ranks;
  }
  topology.rank_on_node = communicator.rank() - topology.here().first_rank;
  return topology;
}

}  // namespace lockstep
