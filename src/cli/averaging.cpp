// SPDX-License-Identifier: Apache-2.0
#include "cli/averaging.h"

#include <algorithm>
#include <vector>

#include "core/aligned.h"

namespace lockstep {

namespace {

ParameterLayout layout_of(Index size) {
  ParameterLayout layout;
  layout.add("vector", {size}, false);
  return layout;
}

// One shard a rank: what a rank brings is one vector.
class OwnAveraging final : public Averaging {
 public:
  OwnAveraging(Communicator& communicator, const Plugins& plugins, Index size)
      : layout_(layout_of(size)),
        node_{communicator.rank(), communicator.rank() + 1},
        has_rows_(static_cast<std::size_t>(communicator.size()), 1) {
    ReducerContext context;
    context.communicator = &communicator;
    context.layout = &layout_;
    context.shards = communicator.size();
    reducer_ = plugins.reducers.find("canonical").create(context);
  }

  float* input() override { return reducer_->buffers()[0]; }
  const float* output() const override { return output_; }
  std::string transport() const override { return reducer_->transport(); }

  void run() override {
    Tail total;
    output_ = reducer_->sum({{&node_, 1}, {&tail_, 1}, 0, has_rows_}, total);
  }

 private:
  ParameterLayout layout_;
  std::unique_ptr<GradientReducer> reducer_;
  const float* output_ = nullptr;
  TreeNode node_;
  Tail tail_;
  std::vector<char> has_rows_;
};

class MpiAveraging final : public Averaging {
 public:
  MpiAveraging(Communicator& communicator, Index size)
      : communicator_(communicator), values_(static_cast<std::size_t>(size)) {}

  float* input() override { return values_.data(); }
  const float* output() const override { return values_.data(); }
  std::string transport() const override { return "MPI_Allreduce"; }
  void run() override { communicator_.sum_in_any_order(values_.data(), values_.size()); }

 private:
  Communicator& communicator_;
  AlignedVector<float> values_;
};

}  // namespace

std::unique_ptr<Averaging> make_own_averaging(Communicator& communicator, const Plugins& plugins,
                                              Index size) {
  return std::make_unique<OwnAveraging>(communicator, plugins, size);
}

std::unique_ptr<Averaging> make_mpi_averaging(Communicator& communicator, Index size) {
  return std::make_unique<MpiAveraging>(communicator, size);
}

}  // namespace lockstep
