// SPDX-License-Identifier: Apache-2.0
// What a training step costs against its limits, in one run: verified before it is timed, interleaved,
// medians.
//   mlp 784-256-128-10, batches 1,000 and 64, one rank: the time of its matrix products, each over all rows
//   in one call of the faster of Eigen and our own kernels, against the time of the step; and the default
//   shards against one
//   flagship logistic, one epoch in file order: rows a second
#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/gemm.h"
#include "lockstep/model/gradient_sum.h"
#include "lockstep/run.h"
#include "support/experiment.h"
#include "train/options.h"
#include "train/trainer.h"

namespace lockstep {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int kRounds = 7;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <class Work>
double seconds_of(const Work& work) {
  const double start = now_seconds();
  work();
  return now_seconds() - start;
}

/// One experiment on one rank, as `train` runs it.
struct Run {
  explicit Run(const std::vector<std::string>& settings) : options(testing::options_of(settings)) {
    communicator = make_single_communicator();
    LoadPlan plan;
    plan.task = make_loss(options, plugins)->task();
    plan.shards = shard_count(options);
    plan.hosted = {0, plan.shards};
    data.emplace(load_datasets(options, plugins.formats, plan));
    model.emplace(make_model(options, plugins, schema_of(data->train)));
    restart();
  }
  void restart() { trainer.emplace(options, plugins, *communicator, *data, *model); }

  Options options;
  Plugins plugins = builtin_plugins();
  std::unique_ptr<Communicator> communicator;
  std::optional<DataSets> data;
  std::optional<TrainedModel> model;
  std::optional<Trainer> trainer;
};

/// The matrix products of the network's step and nothing else: all B rows in one call, no shards, no bias, no
/// activation, each by the faster of Eigen and our own kernels. They run in the order of the step, each once:
/// weights and gradients do not fit into the second-level cache together, so a product that is repeated finds
/// there what no step can.
class Products {
 public:
  explicit Products(Index batch) {
    for (std::size_t i = 0; i + 1 < kWidths.size(); ++i)
      layers_.emplace_back(batch, kWidths[i], kWidths[i + 1]);
    for (Layer& layer : layers_) add(layer, &Layer::forward, &Layer::forward_eigen);
    for (std::size_t i = layers_.size(); i-- > 0;) {
      add(layers_[i], &Layer::sum, &Layer::sum_eigen);
      if (i > 0) add(layers_[i], &Layer::back, &Layer::back_eigen);
    }
  }

  double seconds() const {
    return median_seconds([&] {
      for (const auto& product : products_) product();
    });
  }

 private:
  static constexpr std::array<Index, 4> kWidths = {784, 256, 128, 10};

  struct Layer {
    Layer(Index batch, Index in, Index out)
        : x(RowMajor::Random(batch, in)),
          w(RowMajor::Random(in, out)),
          g(RowMajor::Random(batch, out)),
          y(batch, out),
          before(batch, in),
          packed(std::max(in, out), 1) {
      layout.add("weight", {in, out}, true);
      gradient.resize(static_cast<std::size_t>(layout.size()));
      // The second is for a shard that comes in several batches.
      sums.emplace(layout, std::vector<float*>{gradient.data(), gradient.data()});
    }
    static ConstMatrix view(const RowMajor& m) { return {m.data(), m.rows(), m.cols(), m.cols()}; }
    static Matrix view(RowMajor& m) { return {m.data(), m.rows(), m.cols(), m.cols()}; }
    void forward() { multiply({.a = view(x), .b = view(w), .c = view(y)}, packed); }
    void back() { multiply_transposed({.a = view(g), .b = view(w), .c = view(before)}, packed); }
    void sum() {
      const std::array segments = {Segment{0, 0, x.rows(), 0, true}};
      sums->begin_step({0, 1});
      sums->begin_batch(segments);
      sums->add_product(0, view(x), view(g));
      sums->finish_step();
    }
    void forward_eigen() { y.noalias() = x * w; }
    void back_eigen() { before.noalias() = g * w.transpose(); }
    void sum_eigen() {
      Eigen::Map<RowMajor>(gradient.data(), w.rows(), w.cols()).noalias() = x.transpose() * g;
    }

    RowMajor x, w, g, y, before;
    PackedMatrix packed;
    ParameterLayout layout;
    AlignedVector<float> gradient;
    std::optional<GradientSum> sums;
  };

  void add(Layer& layer, void (Layer::*own)(), void (Layer::*eigen)()) {
    const bool is_own = median_seconds([&] { (layer.*own)(); }) < median_seconds([&] { (layer.*eigen)(); });
    products_.emplace_back([&layer, product = is_own ? own : eigen] { (layer.*product)(); });
  }

  template <class Work>
  static double median_seconds(const Work& work) {
    std::vector<double> times;
    for (int i = 0; i < 9; ++i) times.push_back(seconds_of(work));
    return median(times);
  }

  std::deque<Layer> layers_;  // they do not move
  std::vector<std::function<void()>> products_;
};

void bench_mlp(Index batch) {
  const std::vector<std::string> settings = {"data.train=demo:blobs?rows=10000&features=784&classes=10",
                                             "model.name=mlp",
                                             "model.hidden=256,128",
                                             "train.batch=" + std::to_string(batch),
                                             "train.steps=40",
                                             "eval.train=never",
                                             "data.scale=0.1",
                                             "optim.learning_rate=0.01"};
  auto one = settings;
  one.push_back("train.shards=1");
  Run by_default(settings), by_one(one);
  const Products products(batch);
  std::vector<double> default_ms, one_ms, gemm_ms, share, ratio;
  for (int round = 0; round < kRounds; ++round) {
    by_default.restart();
    by_one.restart();
    by_default.trainer->run();
    default_ms.push_back(by_default.trainer->step_times().percentile_ms(0.5));
    gemm_ms.push_back(products.seconds() * 1e3);
    by_one.trainer->run();
    one_ms.push_back(by_one.trainer->step_times().percentile_ms(0.5));
    share.push_back(gemm_ms.back() / default_ms.back());
    ratio.push_back(default_ms.back() / one_ms.back());
  }
  std::printf("mlp 784-256-128-10, batch %ld, one rank, %d shards\n", static_cast<long>(batch),
              by_default.data->train.shards());
  std::printf("  step                        %8.3f ms\n  its products in one call    %8.3f ms\n",
              median(default_ms), median(gemm_ms));
  std::printf("  products / step             %8.3f\n  step / step with one shard  %8.3f\n", median(share),
              median(ratio));
}

void bench_flagship() {
  Run run({"data.train=demo:logistic?rows=5000000&features=28&noise=0.1", "model.name=logistic",
           "optim.learning_rate=0.5", "optim.schedule=inverse_sqrt", "train.batch=1000", "train.epochs=1",
           "train.shuffle=false", "eval.train=never"});
  std::vector<double> rates;
  for (int round = 0; round < kRounds; ++round) {
    run.restart();
    const TrainOutcome outcome = run.trainer->run();
    rates.push_back(static_cast<double>(outcome.last.rows) / outcome.last.train_s);
  }
  std::printf(
      "flagship logistic 5,000,000 × 28, batch 1,000, one rank\n  rows a second               %8.2f "
      "million\n",
      median(rates) / 1e6);
}

// Sixteen shards on one rank must train what a thread of one rank with the serial path trains: the loss
// falls.
bool verify() {
  Run run({"data.train=demo:blobs?rows=2000&features=784&classes=10&noise=0", "model.name=mlp",
           "model.hidden=256,128", "train.batch=50", "train.epochs=5", "optim.learning_rate=0.1",
           "data.scale=0.1"});
  const TrainOutcome outcome = run.trainer->run();
  return outcome.metrics.at("train.accuracy") > 0.95;
}

}  // namespace
}  // namespace lockstep

// Runs what it is told (mlp1000, mlp64, flagship), or everything.
int main(int count, char** arguments) {
  if (!lockstep::verify()) {
    std::fprintf(stderr, "the network does not learn; nothing was timed\n");
    return 1;
  }
  const std::vector<std::string> wanted(arguments + 1, arguments + count);
  const auto is_wanted = [&](const char* name) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
  };
  if (is_wanted("mlp1000")) lockstep::bench_mlp(1000);
  if (is_wanted("mlp64")) lockstep::bench_mlp(64);
  if (is_wanted("flagship")) lockstep::bench_flagship();
  return 0;
}
