// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "lockstep/comm/communicator.h"

namespace lockstep {

namespace {

// Blocks [first, first + count) modulo P, as one or two runs of memory.
struct Runs {
  std::array<std::size_t, 2> begin{};
  std::array<std::size_t, 2> count{};
};

Runs runs_of(int first, int count, int ranks) {
  const int start = (first % ranks + ranks) % ranks;
  const int before_wrap = std::min(count, ranks - start);
  Runs runs;
  runs.begin = {static_cast<std::size_t>(start), 0};
  runs.count = {static_cast<std::size_t>(before_wrap), static_cast<std::size_t>(count - before_wrap)};
  return runs;
}

}  // namespace

void broadcast(Communicator& communicator, void* data, std::size_t size) {
  const int rank = communicator.rank();
  const int ranks = communicator.size();
  for (int distance = 1; distance < ranks; distance *= 2) {
    if (rank < distance && rank + distance < ranks) {
      const Send send{rank + distance, data, size};
      communicator.exchange({&send, 1}, {});
    } else if (rank >= distance && rank < 2 * distance) {
      const Receive receive{rank - distance, data, size};
      communicator.exchange({}, {&receive, 1});
    }
  }
}

// Before a round this rank has the `distance` blocks that end at its own; it passes on as many as are
// missing.
void all_gather(Communicator& communicator, const void* mine, std::size_t size, void* all) {
  const int rank = communicator.rank();
  const int ranks = communicator.size();
  auto* const blocks = static_cast<std::byte*>(all);
  if (size > 0) std::memmove(blocks + static_cast<std::size_t>(rank) * size, mine, size);
  for (int distance = 1; distance < ranks; distance *= 2) {
    const int count = std::min(distance, ranks - distance);
    const Runs mine_now = runs_of(rank - count + 1, count, ranks);
    const Runs theirs = runs_of(rank - distance - count + 1, count, ranks);
    std::array<Send, 2> sends;
    std::array<Receive, 2> receives;
    for (std::size_t i = 0; i < 2; ++i) {
      sends[i] = {(rank + distance) % ranks, blocks + mine_now.begin[i] * size, mine_now.count[i] * size};
      receives[i] = {(rank - distance + ranks) % ranks, blocks + theirs.begin[i] * size,
                     theirs.count[i] * size};
    }
    communicator.exchange(sends, receives);
  }
}

std::vector<std::string> all_gather(Communicator& communicator, const std::string& mine) {
  const auto ranks = static_cast<std::size_t>(communicator.size());
  const std::uint64_t size = mine.size();
  std::vector<std::uint64_t> sizes(ranks);
  all_gather(communicator, &size, sizeof size, sizes.data());
  const std::uint64_t longest = *std::max_element(sizes.begin(), sizes.end());
  std::string padded = mine;
  padded.resize(longest);
  std::string all(ranks * longest, '\0');
  all_gather(communicator, padded.data(), longest, all.data());
  std::vector<std::string> texts;
  for (std::size_t r = 0; r < ranks; ++r) texts.push_back(all.substr(r * longest, sizes[r]));
  return texts;
}

void barrier(Communicator& communicator) {
  const int rank = communicator.rank();
  const int ranks = communicator.size();
  for (int distance = 1; distance < ranks; distance *= 2) {
    const char token = 1;
    char received = 0;
    const Send send{(rank + distance) % ranks, &token, 1};
    const Receive receive{(rank - distance + ranks) % ranks, &received, 1};
    communicator.exchange({&send, 1}, {&receive, 1});
  }
}

}  // namespace lockstep
