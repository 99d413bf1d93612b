// SPDX-License-Identifier: Apache-2.0
#include "train/curves.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/json.h"
#include "train/curve_counts.h"
#include "train/evaluator.h"
#include "train/gather.h"

namespace lockstep {

namespace {

constexpr Index kMostScattered = 500;
constexpr int kResidualBins = 40;
constexpr double kTail = 0.005;  // of the residuals on each side share the first and the last bin

/// A row of the scatter.
struct RowPair {
  Index row = 0;
  float predicted = 0, label = 0;
};

double ratio(double part, double whole) {
  return whole == 0 ? 0 : part / whole;
}

// Row i is row i div S of shard i mod S.
void pick(const Dataset& rows, int shard, Index first, const ScoredRows& scored,
          std::vector<RowPair>* picked) {
  const Index stride = std::max<Index>((rows.info().rows + kMostScattered - 1) / kMostScattered, 1);
  for (Index i = 0; i < scored.scores.rows; ++i) {
    const Index row = (first + i) * rows.shards() + shard;
    if (row % stride == 0) picked->push_back({row, scored.predictions.row(i)[0], scored.labels[i]});
  }
}

// Collective. Of all ranks, in the order of the rows.
std::vector<RowPair> gather(Communicator& communicator, const std::vector<RowPair>& mine) {
  const std::string bytes(reinterpret_cast<const char*>(mine.data()), mine.size() * sizeof(RowPair));
  std::vector<RowPair> all;
  for (const std::string& part : all_gather(communicator, bytes)) {
    const std::size_t before = all.size();
    all.resize(before + part.size() / sizeof(RowPair));
    std::copy_n(part.data(), part.size(), reinterpret_cast<char*>(all.data() + before));
  }
  std::sort(all.begin(), all.end(), [](const RowPair& a, const RowPair& b) { return a.row < b.row; });
  return all;
}

Json json_of(const std::vector<RankingCurves::Point>& points) {
  Json json = Json::array();
  for (const auto& point : points) json.push_back({point.x, point.y});
  return json;
}

Json per_class(const CurveCounts& counts, const std::vector<std::string>& classes) {
  Json json = Json::array();
  for (Index k = 0; k < counts.classes(); ++k) {
    const double hits = counts.of_class(k, CurveCounts::kHits), rows = counts.of_class(k, CurveCounts::kRows),
                 decisions = counts.of_class(k, CurveCounts::kDecisions);
    json.push_back({{"class", classes[static_cast<std::size_t>(k)]},
                    {"rows", rows},
                    {"precision", ratio(hits, decisions)},
                    {"recall", ratio(hits, rows)},
                    {"f1", ratio(2 * hits, rows + decisions)}});
  }
  return json;
}

Json calibration(const CurveCounts& counts) {
  Json json = Json::array();
  for (int bin = 0; bin < CurveCounts::kCalibrationBins; ++bin) {
    const double rows = counts.calibration(bin, CurveCounts::kWeight);
    if (rows > 0)
      json.push_back({counts.calibration(bin, CurveCounts::kPredicted) / rows,
                      counts.calibration(bin, CurveCounts::kTrue) / rows, rows});
  }
  return json;
}

/// The first bin at which this share of all counts is reached.
int quantile(std::span<const std::int64_t> counts, double share) {
  double all = 0, seen = 0;
  for (const std::int64_t count : counts) all += static_cast<double>(count);
  for (std::size_t bin = 0; bin < counts.size(); ++bin) {
    seen += static_cast<double>(counts[bin]);
    if (counts[bin] > 0 && seen >= share * all) return static_cast<int>(bin);
  }
  return score_bins::bin_of(0);
}

// Equal bins between the tails; the first and the last reach to the extremes.
Json residual_histogram(const CurveCounts& counts) {
  const auto fine = counts.histogram(0);
  const auto at = [&](double share) -> double { return score_bins::value_of(quantile(fine, share)); };
  const double least = at(0), most = at(1), low = at(kTail), high = at(1 - kTail);
  const double width = (high - low) / kResidualBins;
  std::vector<std::int64_t> bins(width > 0 ? kResidualBins : 1);
  const auto last = static_cast<double>(bins.size() - 1);
  for (std::size_t bin = 0; bin < fine.size(); ++bin)
    if (fine[bin] > 0) {
      const double place = width > 0 ? (score_bins::value_of(static_cast<int>(bin)) - low) / width : 0;
      bins[static_cast<std::size_t>(std::clamp(std::floor(place), 0.0, last))] += fine[bin];
    }
  Json json = Json::array();
  for (std::size_t i = 0; i < bins.size(); ++i)
    json.push_back({i == 0 ? least : low + static_cast<double>(i) * width,
                    i + 1 == bins.size() ? most : low + static_cast<double>(i + 1) * width,
                    counts.weight(bins[i])});
  return json;
}

Json classification_json(const CurveCounts& counts, const std::vector<std::string>& classes) {
  Json json{{"per_class", per_class(counts, classes)}};
  if (counts.has_probabilities()) json["calibration"] = calibration(counts);
  if (!counts.has_ranking()) return json;
  const RankingCurves curves = ranking_curves(counts.histogram(1), counts.histogram(0));
  json["roc"] = json_of(curves.roc);
  json["pr"] = json_of(curves.pr);
  json["auc"] = curves.area;
  json["average_precision"] = curves.average_precision;
  return json;
}

Json regression_json(const CurveCounts& counts, const std::vector<RowPair>& pairs) {
  Json scatter = Json::array();
  for (const RowPair& pair : pairs) scatter.push_back({pair.predicted, pair.label});
  return {{"residuals", {{"histogram", residual_histogram(counts)}, {"scatter", scatter}}}};
}

// Collective. Null on all ranks but 0.
Json curves_of(Communicator& communicator, TrainedModel& model, const Dataset& rows) {
  const bool is_regression = model.loss->task() == Task::kRegression;
  const auto& classes = model.schema.classes;
  CurveCounts counts(is_regression ? 0 : static_cast<Index>(classes.size()),
                     model.loss->gives_probabilities(), WeightUnits(rows.info().total_weight));
  std::vector<RowPair> pairs;
  Scorer scorer(model, rows);
  for (int shard = rows.hosted().first; shard < rows.hosted().last; ++shard)
    for (Index first = 0; first < rows.shard_rows(shard); first += Batch::kMaxRows) {
      const Index last = std::min(first + Batch::kMaxRows, rows.shard_rows(shard));
      const ScoredRows scored = scorer.score(model.weights.data(), shard, first, last);
      counts.add(scored);
      if (is_regression) pick(rows, shard, first, scored, &pairs);
    }
  add_to_first(communicator, counts.counts());
  pairs = gather(communicator, pairs);
  if (communicator.rank() != 0) return {};
  Json json{{"rows", rows.info().rows}};
  json.update(is_regression ? regression_json(counts, pairs) : classification_json(counts, classes));
  return json;
}

}  // namespace

std::string curves_json(Communicator& communicator, TrainedModel& model, const DataSets& data) {
  Json json = Json::object();
  if (data.valid) json["valid"] = curves_of(communicator, model, *data.valid);
  if (data.test) json["test"] = curves_of(communicator, model, *data.test);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace lockstep
