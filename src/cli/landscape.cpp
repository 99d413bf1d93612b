// SPDX-License-Identifier: Apache-2.0
#include "cli/landscape.h"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>

#include "core/json.h"
#include "core/safetensors.h"
#include "data/batch_buffer.h"
#include "lockstep/core/error.h"
#include "train/experiment.h"

namespace lockstep {

namespace {

constexpr Index kGrid = 25;
constexpr double kMargin = 0.2;  // of the extent of the paths, on each side

using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The mean loss over a fixed sample of rows, at any weights.
class SampleLoss {
 public:
  SampleLoss(TrainedModel& model, const Dataset& rows)
      : model_(model),
        dataset_(rows),
        buffer_(rows),
        stride_(model.outputs == 1 ? 1 : round_up_16(model.outputs)) {
    scores_.resize(static_cast<std::size_t>(Batch::kMaxRows * stride_));
    gradient_.resize(scores_.size());
    losses_.resize(Batch::kMaxRows);
    weights_.assign(static_cast<std::size_t>(model.model->layout().size()), 0.0F);
    choose_rows();
  }

  /// `logical`: the M numbers of all tensors, without gaps.
  double at(const float* logical) {
    for (const Tensor& tensor : model_.model->layout().tensors()) {
      std::copy_n(logical, tensor.size, weights_.begin() + tensor.offset);
      logical += tensor.size;
    }
    sum_ = weight_ = 0;
    for (int shard = 0; shard < dataset_.shards(); ++shard) {
      const auto& numbers = numbers_[static_cast<std::size_t>(shard)];
      for (std::size_t first = 0; first < numbers.size(); first += Batch::kMaxRows)
        add(shard, std::span(numbers).subspan(
                       first, std::min<std::size_t>(Batch::kMaxRows, numbers.size() - first)));
    }
    return weight_ > 0 ? sum_ / weight_ : std::nan("");
  }

 private:
  // Every so many rows of the file, so many that the grid takes seconds.
  void choose_rows() {
    constexpr double kMostFlops = 5e11, kMostRows = 20000, kFewestRows = 500;
    const Index rows = dataset_.info().rows;
    const double flops = model_.model->flops_per_row() / 3 * kGrid * kGrid;
    const double wanted = std::clamp(kMostFlops / flops, kFewestRows, kMostRows);
    const auto step = static_cast<Index>(std::ceil(static_cast<double>(rows) / wanted));
    numbers_.resize(static_cast<std::size_t>(dataset_.shards()));
    for (Index row = 0; row < rows; row += step)
      numbers_[static_cast<std::size_t>(row % dataset_.shards())].push_back(
          static_cast<std::uint32_t>(row / dataset_.shards()));
  }

  void add(int shard, std::span<const std::uint32_t> numbers) {
    buffer_.clear(0);
    buffer_.append(shard, numbers, 0, true);
    const Batch batch = buffer_.batch();
    const Matrix scores{scores_.data(), batch.rows(), model_.outputs, stride_};
    const Matrix gradient{gradient_.data(), batch.rows(), model_.outputs, stride_};
    model_.model->forward(weights_.data(), batch, Pass::kEvaluate, scores);
    model_.loss->evaluate(scores, batch.labels, batch.weights, losses_.data(), gradient);
    for (Index i = 0; i < batch.rows(); ++i) {
      const double weight = batch.weights == nullptr ? 1 : batch.weights[i];
      sum_ += weight * losses_[static_cast<std::size_t>(i)];
      weight_ += weight;
    }
  }

  TrainedModel& model_;
  const Dataset& dataset_;
  BatchBuffer buffer_;
  Index stride_;
  AlignedVector<float> scores_, gradient_, weights_;
  AlignedVector<double> losses_;
  std::vector<std::vector<std::uint32_t>> numbers_;  // by shard
  double sum_ = 0, weight_ = 0;
};

/// Snapshots of all paths, one below the other.
struct Snapshots {
  Rows weights;  // K × M
  std::vector<double> steps;
  std::vector<Index> first;  // of each path, and the end
};

Snapshots read_snapshots(const std::vector<LandscapePath>& paths, Index parameters) {
  Snapshots all;
  std::vector<TensorFile> files;
  Index count = 0;
  for (const LandscapePath& path : paths) {
    files.push_back(read_safetensors(path.run / "path.safetensors"));
    const TensorData *weights = files.back().find("weights"), *steps = files.back().find("steps");
    if (weights == nullptr || steps == nullptr || weights->shape.size() != 2 ||
        weights->shape[1] != parameters)
      throw Error(ExitCode::kData, (path.run / "path.safetensors").string() + ": is no path of this model");
    all.first.push_back(count);
    for (const float step : steps->values) all.steps.push_back(step);
    count += weights->shape[0];
  }
  all.first.push_back(count);
  all.weights.resize(count, parameters);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& values = files[i].find("weights")->values;
    std::copy(values.begin(), values.end(), all.weights.data() + all.first[i] * parameters);
  }
  return all;
}

/// A plane: w = origin + x·axis₀ + y·axis₁.
struct Plane {
  bool is_exact = false;
  double explained = 1;
  Eigen::VectorXf origin;
  std::array<Eigen::VectorXf, 2> axes;
  std::array<std::string, 2> names;
};

std::string name_of_parameter(const ParameterLayout& layout, Index number) {
  for (const Tensor& tensor : layout.tensors()) {
    if (number < tensor.size)
      return tensor.name + (tensor.size == 1 ? "" : "[" + std::to_string(number) + "]");
    number -= tensor.size;
  }
  return "";
}

Plane exact_plane(const ParameterLayout& layout) {
  Plane plane;
  plane.is_exact = true;
  plane.origin = Eigen::VectorXf::Zero(2);
  for (Index i = 0; i < 2; ++i) {
    plane.axes[static_cast<std::size_t>(i)] = Eigen::VectorXf::Unit(2, i);
    plane.names[static_cast<std::size_t>(i)] = name_of_parameter(layout, i);
  }
  return plane;
}

// The directions of all snapshots follow from their products, a small matrix, whatever M is.
Plane main_plane(const Rows& weights) {
  Plane plane;
  plane.origin = weights.colwise().mean();
  const Rows centred = weights.rowwise() - plane.origin.transpose();
  const Eigen::MatrixXd products = (centred * centred.transpose()).cast<double>();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(products);
  const Index last = products.rows() - 1;
  const double total = std::max(solver.eigenvalues().cwiseMax(0).sum(), 1e-300);
  plane.explained = 0;
  for (Index i = 0; i < 2; ++i) {
    auto& axis = plane.axes[static_cast<std::size_t>(i)];
    axis = Eigen::VectorXf::Zero(weights.cols());
    plane.names[static_cast<std::size_t>(i)] = i == 0 ? "first direction" : "second direction";
    const double value = last - i >= 0 ? solver.eigenvalues()[last - i] : 0;
    if (value <= 1e-12 * total) continue;
    axis = centred.transpose() * solver.eigenvectors().col(last - i).cast<float>() /
           static_cast<float>(std::sqrt(value));
    plane.explained += value / total;
  }
  return plane;
}

std::vector<double> ticks(const Eigen::VectorXf& values) {
  const double low = values.minCoeff(), high = values.maxCoeff();
  const double extent = std::max(high - low, 1e-6 * std::max(1.0, std::abs(high)));
  std::vector<double> all;
  for (Index i = 0; i < kGrid; ++i)
    all.push_back(low - kMargin * extent + (1 + 2 * kMargin) * extent * static_cast<double>(i) / (kGrid - 1));
  return all;
}

Json path_json(const LandscapePath& path, const Snapshots& all, std::size_t number,
               const std::array<Eigen::VectorXf, 2>& places) {
  Json points = Json::array();
  for (Index i = all.first[number]; i < all.first[number + 1]; ++i)
    points.push_back({places[0][i], places[1][i], all.steps[static_cast<std::size_t>(i)]});
  return {{"member", path.member}, {"regime", path.regime}, {"points", points}};
}

}  // namespace

std::string landscape_json(const Options& options, const Plugins& plugins, const Dataset& rows,
                           const std::vector<LandscapePath>& paths) {
  Options mine = options;
  mine.set("model.init", std::string(), "landscape");
  TrainedModel model = make_model(mine, plugins, schema_of(rows));
  const ParameterLayout& layout = model.model->layout();
  const Snapshots all = read_snapshots(paths, layout.logical_size());
  const Plane plane = layout.logical_size() == 2 ? exact_plane(layout) : main_plane(all.weights);
  std::array<Eigen::VectorXf, 2> places;
  for (std::size_t i = 0; i < 2; ++i)
    places[i] = (all.weights.rowwise() - plane.origin.transpose()) * plane.axes[i];

  const std::vector<double> x = ticks(places[0]), y = ticks(places[1]);
  SampleLoss loss(model, rows);
  Json values = Json::array();
  for (const double up : y) {
    Json row = Json::array();
    for (const double right : x) {
      const Eigen::VectorXf weights =
          plane.origin + static_cast<float>(right) * plane.axes[0] + static_cast<float>(up) * plane.axes[1];
      row.push_back(loss.at(weights.data()));
    }
    values.push_back(row);
  }
  Json json{{"exact", plane.is_exact}, {"explained", plane.explained}, {"x", x}, {"y", y},
            {"loss", values},          {"axes", plane.names}};
  json["paths"] = Json::array();
  for (std::size_t i = 0; i < paths.size(); ++i) json["paths"].push_back(path_json(paths[i], all, i, places));
  return json.dump() + "\n";
}

}  // namespace lockstep
