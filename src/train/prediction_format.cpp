// SPDX-License-Identifier: Apache-2.0
#include "train/prediction_format.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "core/json.h"
#include "lockstep/core/error.h"
#include "model/class_scores.h"

namespace lockstep {

namespace {

bool is_regression(const TrainedModel& model) {
  return model.loss->task() == Task::kRegression;
}

/// The class and the score of a row.
struct Decision {
  std::size_t number = 0;
  float score = 0;
};

Decision decision_of(const ScoredRows& rows, Index i) {
  const float* const scores = rows.scores.row(i);
  const Index decided = decided_class(scores, rows.scores.cols);
  return {static_cast<std::size_t>(decided), scores[rows.scores.cols == 1 ? 0 : decided]};
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

class CsvPredictions final : public PredictionFormat {
 public:
  std::string head(const TrainedModel& model, Index) const override {
    if (is_regression(model)) return "prediction\n";
    std::string text = "class,score";
    if (model.loss->gives_probabilities())
      for (const std::string& name : model.schema.classes) text += "," + csv_field("p:" + name);
    return text + "\n";
  }

  void append(const TrainedModel& model, const ScoredRows& rows, std::string& text) const override {
    const auto out = std::back_inserter(text);
    for (Index i = 0; i < rows.scores.rows; ++i) {
      const float* const predictions = rows.predictions.row(i);
      if (is_regression(model)) {
        fmt::format_to(out, "{}\n", predictions[0]);
        continue;
      }
      const Decision decision = decision_of(rows, i);
      fmt::format_to(out, "{},{}", csv_field(model.schema.classes[decision.number]), decision.score);
      if (model.loss->gives_probabilities())
        for (Index k = 0; k < rows.predictions.cols; ++k) fmt::format_to(out, ",{}", predictions[k]);
      text += '\n';
    }
  }
};

class JsonPredictions final : public PredictionFormat {
 public:
  std::string head(const TrainedModel&, Index) const override { return ""; }

  void append(const TrainedModel& model, const ScoredRows& rows, std::string& text) const override {
    std::vector<std::string> names;
    for (const std::string& name : model.schema.classes) names.push_back(quoted(name));
    const auto out = std::back_inserter(text);
    for (Index i = 0; i < rows.scores.rows; ++i) {
      const float* const predictions = rows.predictions.row(i);
      if (is_regression(model)) {
        fmt::format_to(out, "{{\"prediction\":{}}}\n", number(predictions[0]));
        continue;
      }
      const Decision decision = decision_of(rows, i);
      fmt::format_to(out, "{{\"class\":{},\"score\":{}", names[decision.number], number(decision.score));
      if (model.loss->gives_probabilities()) {
        for (Index k = 0; k < rows.predictions.cols; ++k)
          fmt::format_to(out, "{}{}:{}", k == 0 ? ",\"p\":{" : ",", names[static_cast<std::size_t>(k)],
                         number(predictions[k]));
        text += '}';
      }
      text += "}\n";
    }
  }

 private:
  static std::string quoted(const std::string& text) {
    return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  static std::string number(float value) { return std::isfinite(value) ? fmt::format("{}", value) : "null"; }
};

/// Format version 1.0 of NumPy's NEP 1.
class NpyPredictions final : public PredictionFormat {
 public:
  std::string head(const TrainedModel& model, Index rows) const override {
    constexpr std::size_t kSize = 128;  // a multiple of 64, with room for any shape
    std::string text("\x93NUMPY\x01\x00\x76\x00", 10);
    const Index width = width_of(model);
    text += fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({},{}), }}", rows,
                        width == 1 ? std::string() : fmt::format(" {}", width));
    text.resize(kSize - 1, ' ');
    return text + "\n";
  }
  bool counts_rows() const override { return true; }

  void append(const TrainedModel& model, const ScoredRows& rows, std::string& out) const override {
    const bool takes_scores = !is_regression(model) && !model.loss->gives_probabilities();
    const ConstMatrix& values = takes_scores ? rows.scores : rows.predictions;
    const auto width = static_cast<std::size_t>(width_of(model));
    for (Index i = 0; i < values.rows; ++i)
      out.append(reinterpret_cast<const char*>(values.row(i)), width * sizeof(float));
  }

 private:
  static Index width_of(const TrainedModel& model) {
    if (is_regression(model)) return 1;
    return model.loss->gives_probabilities() ? static_cast<Index>(model.schema.classes.size())
                                             : model.outputs;
  }
};

}  // namespace

std::unique_ptr<PredictionFormat> make_prediction_format(const std::string& name, const std::string& path) {
  if (name == "npy" || (name.empty() && path.ends_with(".npy"))) {
    if (path == "-")
      throw Error(ExitCode::kUsage,
                  "--format npy needs a file: its first bytes say how many rows there are, which is known at "
                  "the end");
    return std::make_unique<NpyPredictions>();
  }
  if (name == "jsonl" || (name.empty() && path.ends_with(".jsonl")))
    return std::make_unique<JsonPredictions>();
  if (name == "csv" || name.empty()) return std::make_unique<CsvPredictions>();
  throw Error(ExitCode::kUsage, "--format is " + name + "; expected csv, jsonl or npy");
}

}  // namespace lockstep
