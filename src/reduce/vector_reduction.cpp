// SPDX-License-Identifier: Apache-2.0
#include "lockstep/reduce/vector_reduction.h"

#include <algorithm>
#include <vector>

#include "lockstep/core/error.h"
#include "reduce/add_floats.h"
#include "reduce/canonical_reducer.h"

namespace lockstep {

namespace {

ParameterLayout layout_of(Index size) {
  ParameterLayout layout;
  layout.add("vector", {size}, false);
  return layout;
}

}  // namespace

struct VectorReduction::State {
  State(Communicator& ranks, Index floats, int shard_count)
      : communicator(ranks),
        size(floats),
        layout(layout_of(floats)),
        hosted(hosted_shards(ranks.rank(), ranks.size(), shard_count)),
        reducer(CanonicalReducer::create({&ranks, &layout, shard_count})),
        stack(hosted.first),
        has_rows(static_cast<std::size_t>(shard_count)),
        has_rows_by_rank(has_rows.size() * static_cast<std::size_t>(ranks.size())) {}

  void add_topmost(int additions) {
    for (int i = 0; i < additions; ++i) {
      --depth;
      add_to_left(reducer->buffers()[depth - 1], reducer->buffers()[depth], layout.size());
    }
  }
  void gather_has_rows();

  Communicator& communicator;
  Index size;
  ParameterLayout layout;
  TreeNode hosted;
  std::unique_ptr<GradientReducer> reducer;
  CarryStack stack;
  std::size_t depth = 0;
  std::vector<char> has_rows;
  std::vector<char> has_rows_by_rank;
  std::vector<Tail> tails;
};

void VectorReduction::State::gather_has_rows() {
  const std::size_t shards = has_rows.size();
  all_gather(communicator, has_rows.data(), shards, has_rows_by_rank.data());
  for (std::size_t i = 0; i < has_rows_by_rank.size(); ++i) has_rows[i % shards] |= has_rows_by_rank[i];
}

VectorReduction::VectorReduction(Communicator& communicator, Index size, int shards)
    : state_(std::make_unique<State>(communicator, size, shards)) {}

VectorReduction::~VectorReduction() = default;

TreeNode VectorReduction::hosted() const {
  return state_->hosted;
}

void VectorReduction::add(int shard, const float* values) {
  State& state = *state_;
  LOCKSTEP_CHECK_LE(state.hosted.first, shard);
  LOCKSTEP_CHECK_LE(shard + 1, state.hosted.last);
  state.add_topmost(state.stack.skip_to(shard));
  std::copy_n(values, state.size, state.reducer->buffers()[state.depth]);
  ++state.depth;
  state.add_topmost(state.stack.push({shard, shard + 1}));
  state.has_rows[static_cast<std::size_t>(shard)] = 1;
}

void VectorReduction::reduce(float* sum) {
  State& state = *state_;
  state.add_topmost(state.stack.skip_to(state.hosted.last));
  state.gather_has_rows();
  state.tails.assign(state.depth, Tail{});
  Tail total;
  const float* const whole = state.reducer->sum({state.stack.nodes(), state.tails, 0, state.has_rows}, total);
  std::copy_n(whole, state.size, sum);
  state.stack.reset(state.hosted.first);
  state.depth = 0;
  std::fill(state.has_rows.begin(), state.has_rows.end(), 0);
}

}  // namespace lockstep
