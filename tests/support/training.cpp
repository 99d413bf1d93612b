// SPDX-License-Identifier: Apache-2.0
#include "support/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/option_table.h"
#include "core/config.h"
#include "data/sampler.h"
#include "lockstep/run.h"
#include "support/temporary_folder.h"
#include "support/thread_communicator.h"
#include "train/options.h"

namespace lockstep::testing {
namespace {

class Recorder final : public StepObserver {
 public:
  explicit Recorder(TrainingOutcome* result) : result_(result) {}
  void on_step(const StepReport& report) override { result_->steps.push_back(report); }
  void on_evaluation(const StepReport&, const MetricValues& values, bool) override {
    result_->evaluations.push_back(values);
  }
  void on_noise(const StepReport&, const NoiseReport& noise) override { result_->noises.push_back(noise); }

 private:
  TrainingOutcome* result_;
};

float weight_of(const Table& table, std::size_t row) {
  return table.weights.empty() ? 1.0F : table.weights[row];
}

// The LIBSVM format has no row weights, so they are put behind it.
Dataset with_weights(const Dataset& data, const Table& table) {
  std::vector<ShardRows> rows;
  for (int shard = data.hosted().first; shard < data.hosted().last; ++shard) {
    rows.push_back(data.rows_of(shard));
    rows.back().weights.clear();
    for (Index i = 0; i < rows.back().rows(); ++i)
      rows.back().weights.push_back(weight_of(table, static_cast<std::size_t>(i * data.shards() + shard)));
  }
  return {data.info(), data.shards(), data.hosted(), rows, data.preprocessing()};
}

DataSets load_for(const TrainingCase& asked, const Options& options, const Plugins& plugins,
                  Communicator& communicator) {
  const auto loss = make_loss(options, plugins);
  LoadPlan plan;
  plan.task = loss->task();
  plan.shards = shard_count(options);
  plan.hosted = hosted_shards(communicator.rank(), communicator.size(), plan.shards);
  plan.communicator = &communicator;
  plan.piece_bytes = 1000;  // so that small files have several
  DataSets data = load_datasets(options, plugins.formats, plan);
  if (!asked.is_sparse || asked.table == nullptr || asked.table->weights.empty()) return data;
  return {with_weights(data.train, *asked.table), std::move(data.valid), std::move(data.test)};
}

void set_weights(const std::vector<float>& values, TrainedModel* model) {
  if (values.empty()) return;
  std::size_t at = 0;
  for (const Tensor& tensor : model->model->layout().tensors())
    for (Index i = 0; i < tensor.size; ++i)
      model->weights[static_cast<std::size_t>(tensor.offset + i)] = values.at(at++);
}

// Which rows each window used; all shards must be hosted here.
std::vector<std::vector<std::size_t>> batches_of(const Options& options, const Dataset& data, Index windows) {
  std::vector<std::vector<std::size_t>> batches;
  Sampler sampler(data, static_cast<std::uint64_t>(options.integer("run.seed")),
                  shuffle_rule(options.flag("train.shuffle"), options.integer("data.shuffle_window"),
                               data.info(), data.shards()));
  const Index rows = data.info().rows, batch = batch_size(options, rows);
  for (std::uint64_t epoch = 0; static_cast<Index>(batches.size()) < windows; ++epoch) {
    sampler.begin_epoch(epoch);
    for (Index first = 0; first < rows && static_cast<Index>(batches.size()) < windows; first += batch) {
      auto& used = batches.emplace_back();
      for (int shard = 0; shard < data.shards(); ++shard) {
        const auto places = Sampler::Window(data.shards(), first, std::min(first + batch, rows)).of(shard);
        if (places.count() == 0) continue;
        for (const std::uint32_t row : sampler.rows(shard, places))
          used.push_back(static_cast<std::size_t>(row) * static_cast<std::size_t>(data.shards()) +
                         static_cast<std::size_t>(shard));
      }
    }
  }
  return batches;
}

void train_rank(const TrainingCase& asked, const Options& options, const Plugins& plugins,
                Communicator& communicator, TrainingOutcome* result) {
  const DataSets data = load_for(asked, options, plugins, communicator);
  TrainedModel model = make_model(options, plugins, schema_of(data.train));
  set_weights(asked.initial, &model);
  if (asked.trains) {
    Trainer trainer(options, plugins, communicator, data, model);
    Recorder recorder(result);
    if (communicator.rank() == 0) trainer.add_observer(recorder);
    const TrainOutcome outcome = trainer.run();
    if (communicator.rank() == 0) result->outcome = outcome;
    if (communicator.size() == 1) result->batches = batches_of(options, data.train, trainer.total_steps());
  }
  if (communicator.rank() != 0) return;
  for (const TensorView& tensor : model.tensors(model.weights.data())) {
    result->tensors.emplace_back(tensor.data, tensor.data + tensor.size);
    result->shapes.push_back(tensor.shape);
  }
}

}  // namespace

void Table::add(std::vector<float> row, float label, float weight) {
  if (weights.size() < labels.size()) weights.resize(labels.size(), 1.0F);
  rows.push_back(std::move(row));
  labels.push_back(label);
  weights.push_back(weight);
}

std::string Table::csv() const {
  std::string text;
  for (std::size_t j = 0; j < rows.at(0).size(); ++j) text += fmt::format("x{},", j);
  text += "weight,label\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const float x : rows[i]) text += fmt::format("{},", x);
    text += fmt::format("{},{}\n", weight_of(*this, i), labels[i]);
  }
  return text;
}

std::string Table::libsvm() const {
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += fmt::format("{}", labels[i]);
    for (std::size_t j = 0; j < rows[i].size(); ++j)
      if (rows[i][j] != 0) text += fmt::format(" {}:{}", j + 1, rows[i][j]);
    text += "\n";
  }
  return text;
}

std::vector<float> TrainingOutcome::flat() const {
  std::vector<float> values;
  for (const auto& tensor : tensors) values.insert(values.end(), tensor.begin(), tensor.end());
  return values;
}

TrainingOutcome train(const TrainingCase& asked) {
  const TemporaryFolder folder;
  const Plugins plugins = builtin_plugins();
  ConfigRequest request;
  request.read_environment = false;
  if (asked.table != nullptr && asked.is_sparse) {
    request.sets = {"data.train=" + folder.write("rows.svm", asked.table->libsvm()), "data.index_base=1",
                    fmt::format("data.features={}", asked.table->rows.at(0).size())};
  } else if (asked.table != nullptr) {
    request.sets = {"data.train=" + folder.write("rows.csv", asked.table->csv()), "data.weight=weight"};
  }
  request.sets.insert(request.sets.end(), asked.sets.begin(), asked.sets.end());
  const Options options = resolve_config(all_options(plugins), request);
  TrainingOutcome result;
  run_ranks(asked.ranks,
            [&](Communicator& communicator) { train_rank(asked, options, plugins, communicator, &result); });
  return result;
}

}  // namespace lockstep::testing
