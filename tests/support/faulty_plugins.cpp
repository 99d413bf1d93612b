// SPDX-License-Identifier: Apache-2.0
#include "support/faulty_plugins.h"

#include <bit>
#include <memory>
#include <vector>

#include "lockstep/run.h"

namespace lockstep::testing {

namespace {

thread_local int this_rank = 0;
Fault current;  // of the plug-ins, whose create() has no other way to know

void flip(float& value) {
  value = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ (1U << 23));
}

class Trigger {
 public:
  bool pulls() {
    const Index call = calls_++;
    return rank_ == current.rank && call >= current.first_call && call <= current.last_call;
  }

 private:
  int rank_ = this_rank;
  Index calls_ = 0;
};

class FaultyModel final : public Model {
 public:
  explicit FaultyModel(std::unique_ptr<Model> model) : model_(std::move(model)) {}
  const ParameterLayout& layout() const override { return model_->layout(); }
  void initialize(std::uint64_t seed, float* weights) const override { model_->initialize(seed, weights); }
  void forward(const float* weights, const Batch& batch, Pass pass, Matrix scores) override {
    model_->forward(weights, batch, pass, scores);
  }
  void backward(const float* weights, const Batch& batch, ConstMatrix gradient, GradientSum& sums) override {
    if (trigger_.pulls()) flip(const_cast<float&>(*gradient.data));
    model_->backward(weights, batch, gradient, sums);
  }
  Index rows_at_once() const override { return model_->rows_at_once(); }

 private:
  std::unique_ptr<Model> model_;
  Trigger trigger_;
};

class FaultyReducer final : public GradientReducer {
 public:
  FaultyReducer(std::unique_ptr<GradientReducer> reducer, const ReducerContext& context)
      : reducer_(std::move(reducer)), place_(context.layout->tensors().back().offset) {}
  std::span<float* const> buffers() override { return reducer_->buffers(); }
  float* weights() override { return reducer_->weights(); }
  Sharers sharers() const override { return reducer_->sharers(); }
  Slice slice() const override { return reducer_->slice(); }
  void begin(std::span<const char> has_rows) override { reducer_->begin(has_rows); }
  bool wants_tensors() const override { return reducer_->wants_tensors(); }
  void ready(int tensor) override { reducer_->ready(tensor); }
  void poll() override { reducer_->poll(); }
  float* reduce(const LocalSums& mine, Tail& total) override { return reducer_->reduce(mine, total); }
  void publish(float* values) override {
    reducer_->publish(values);
    if (trigger_.pulls()) flip(weights()[place_]);
  }
  void share_blocks(double* all, int count) override { reducer_->share_blocks(all, count); }
  std::string transport() const override { return reducer_->transport(); }
  double take_exchange_seconds() override { return reducer_->take_exchange_seconds(); }

 private:
  std::unique_ptr<GradientReducer> reducer_;
  Index place_;
  Trigger trigger_;
};

std::unique_ptr<GradientReducer> make_faulty(const char* name, const ReducerContext& context) {
  return std::make_unique<FaultyReducer>(builtin_plugins().reducers.find(name).create(context), context);
}

}  // namespace

void be_rank(int rank) {
  this_rank = rank;
}

Plugins faulty_plugins(const Fault& fault) {
  current = fault;
  Plugins plugins = builtin_plugins();
  ModelRow row = plugins.models.find("softmax");
  row.name = "faulty_softmax";
  row.create = [](const Options& options, std::uint64_t seed, const ModelShape& shape) {
    return std::unique_ptr<Model>(
        std::make_unique<FaultyModel>(builtin_plugins().models.find("softmax").create(options, seed, shape)));
  };
  plugins.models.add(row);
  plugins.reducers.add({"faulty", "canonical, with a fault", nullptr,
                        [](const ReducerContext& context) { return make_faulty("canonical", context); }});
  plugins.reducers.add({"faulty_mpi", "mpi, with a fault", nullptr,
                        [](const ReducerContext& context) { return make_faulty("mpi", context); }});
  return plugins;
}

}  // namespace lockstep::testing
