// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_allreduce_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/allreduce_trial.h"
#include "cli/local_launch.h"
#include "cli/ranks.h"
#include "comm/topology.h"
#include "core/json.h"
#include "lockstep/comm/mpi_session.h"
#include "lockstep/core/error.h"
#include "report/table.h"

namespace lockstep {

namespace {

constexpr std::int64_t kSmallest = 8, kLargestEver = std::int64_t{1} << 34;  // bytes
constexpr double kTimeout_s = 120;

struct Request {
  std::int64_t largest = std::int64_t{1} << 28;
  std::int64_t factor = 4;
  int rounds = 7;
  bool is_json = false;
};

Request read_request(const CommandLine& line) {
  Request request;
  request.largest = line.integer("largest", request.largest, kSmallest);
  request.factor = line.integer("factor", request.factor, 2);
  request.rounds = static_cast<int>(std::min<std::int64_t>(line.integer("rounds", request.rounds, 1), 1000));
  request.is_json = line.has("json");
  if (request.largest > kLargestEver || request.largest % 8 != 0)
    throw Error(ExitCode::kUsage, "--largest is " + line.text("largest") +
                                      "; expected a multiple of 8 bytes, of at most 16 GiB");
  return request;
}

/// Counted down from the largest, so that it is among them; the smallest is too.
std::vector<std::size_t> sizes_of(const Request& request) {
  std::vector<std::size_t> sizes;
  for (std::int64_t size = request.largest; size > kSmallest; size /= request.factor)
    sizes.push_back(static_cast<std::size_t>(size) / 8 * 8);
  if (sizes.empty() || sizes.back() > kSmallest) sizes.push_back(kSmallest);
  std::reverse(sizes.begin(), sizes.end());
  return sizes;
}

std::vector<std::string> cells_of(const AllreduceTimes& times) {
  return {size_text(times.bytes), three_digits(times.lockstep_s * 1e6), three_digits(times.mpi_s * 1e6),
          three_digits(times.copy_s * 1e6), fmt::format("{:.1f} ×", times.ratio)};
}

void print_table(const std::vector<AllreduceTimes>& all, const Communicator& communicator) {
  Table table({"vector", "lockstep, µs", "MPI_Allreduce, µs", "copy limit, µs", "MPI / lockstep"});
  for (const AllreduceTimes& times : all) table.add(cells_of(times));
  fmt::print("sums over {} rank{}, by {}; {}\n{}", communicator.size(), communicator.size() == 1 ? "" : "s",
             all.back().transport, mpi_library(), table.text());
}

void print_json(const std::vector<AllreduceTimes>& all, const Topology& topology, int ranks, int rounds) {
  Json json;
  json["schema"] = "lockstep.bench.allreduce/1";
  json["version"] = LOCKSTEP_VERSION;
  json["ranks"] = ranks;
  json["nodes"] = topology.nodes.size();
  json["mpi"] = mpi_library();
  json["rounds"] = rounds;
  json["results"] = Json::array();
  for (const AllreduceTimes& times : all) {
    Json one;
    one["bytes"] = times.bytes;
    one["transport"] = times.transport;
    one["lockstep_us"] = times.lockstep_s * 1e6;
    one["mpi_us"] = times.mpi_s * 1e6;
    one["copy_us"] = times.copy_s * 1e6;
    one["mpi_per_lockstep"] = times.ratio;
    json["results"].push_back(one);
  }
  fmt::print("{}\n", json.dump(2));
}

int bench_as_rank(Communicator& communicator, const Plugins& plugins, const Request& request) {
  const Topology topology = find_topology(communicator);
  std::vector<AllreduceTimes> all;
  for (const std::size_t bytes : sizes_of(request)) {
    AllreduceTrial trial(communicator, plugins, bytes);
    trial.verify();
    all.push_back(trial.measure(request.rounds));
  }
  if (communicator.rank() != 0) return 0;
  if (request.is_json)
    print_json(all, topology, communicator.size(), request.rounds);
  else
    print_table(all, communicator);
  return 0;
}

int bench_allreduce(const CommandContext& context) {
  const Request request = read_request(context.line);
  if (const std::optional<int> code = launch_ranks(context)) return *code;
  return run_as_rank(kTimeout_s, [&](Communicator& communicator) {
    return bench_as_rank(communicator, context.plugins, request);
  });
}

}  // namespace

void add_bench_allreduce_command(std::vector<Command>* rows) {
  rows->push_back(
      {{"bench allreduce",
        "",
        0,
        0,
        false,
        {{"largest", "BYTES", "the largest vector; default: 268435456 (256 MiB)"},
         {"factor", "F", "from one size to the next; default: 4"},
         {"rounds", "N", "measurements of each, of which the median is shown; default: 7"},
         {"json", "", "one JSON object instead of the table"},
         ranks_flag()}},
       "Times the sum of vectors over ranks: in shared memory or by messages, MPI_Allreduce, a copy.",
       bench_allreduce});
}

}  // namespace lockstep
