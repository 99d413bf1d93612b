// SPDX-License-Identifier: Apache-2.0
#include "comm/topology.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "comm/numa_domains.h"

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

std::vector<int> number_ranks(std::span<const RankPlace> places) {
  const auto first_like = [&](std::size_t rank, bool on_domain) {
    const RankPlace& place = places[rank];
    return std::find_if(places.begin(), places.end(),
                        [&](const RankPlace& other) {
                          return other.machine == place.machine &&
                                 (!on_domain || other.domain == place.domain);
                        }) -
           places.begin();
  };
  std::vector<std::array<std::ptrdiff_t, 3>> order;
  for (std::size_t rank = 0; rank < places.size(); ++rank)
    order.push_back({first_like(rank, false), first_like(rank, true), static_cast<std::ptrdiff_t>(rank)});
  std::sort(order.begin(), order.end());
  std::vector<int> numbers(places.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    numbers[static_cast<std::size_t>(order[i][2])] = static_cast<int>(i);
  return numbers;
}

NodeSizes cut_into_nodes(std::span<const RankPlace> places, const NodeRule& rule) {
  NodeSizes nodes;
  const bool is_bound =
      std::all_of(places.begin(), places.end(), [](const RankPlace& place) { return place.domain >= 0; });
  if (rule.by_domain && !is_bound)
    nodes.note =
        "each machine is one node: not every rank is bound to one NUMA domain (mpirun --bind-to numa)";
  const bool by_domain = rule.by_domain && is_bound;
  std::size_t number = 0;  // of the node on its machine
  for (std::size_t r = 0; r < places.size(); ++r) {
    const bool is_new_machine = r == 0 || places[r].machine != places[r - 1].machine;
    if (is_new_machine) number = 0;
    const bool is_full =
        r > 0 && !rule.ranks_per_node.empty() &&
        nodes.sizes.back() == rule.ranks_per_node[std::min(number, rule.ranks_per_node.size() - 1)];
    if (is_new_machine || is_full || (by_domain && places[r].domain != places[r - 1].domain)) {
      if (!is_new_machine) ++number;
      nodes.sizes.push_back(0);
    }
    ++nodes.sizes.back();
  }
  return nodes;
}

NodeSizes find_nodes(Communicator& communicator, const NodeRule& rule) {
  const RankPlace mine{communicator.node(), own_numa_domain()};
  std::vector<RankPlace> places(static_cast<std::size_t>(communicator.size()));
  all_gather(communicator, &mine, sizeof mine, places.data());
  return cut_into_nodes(places, rule);
}

}  // namespace lockstep
