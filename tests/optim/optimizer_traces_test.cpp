// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "support/optim_options.h"
#include "support/trained_vector.h"

namespace lockstep::testing {
namespace {

constexpr std::size_t kSteps = 24;
constexpr std::size_t kParameters = 4;
using Rows = std::vector<std::vector<double>>;

struct Trace {
  std::string optimizer, name;
  OptionTexts options;
  StepSettings settings;
  bool is_penalized = true;
  std::vector<double> rates;
  Rows gradients, weights;
  std::vector<double> start;
};

std::vector<double> numbers(std::istream& line) {
  std::vector<double> result;
  for (double number; line >> number;) result.push_back(number);
  return result;
}

Rows read_rows(std::istream& file) {
  Rows rows;
  for (std::string line; rows.size() < kSteps && std::getline(file, line);) {
    std::istringstream words(line);
    rows.push_back(numbers(words));
  }
  return rows;
}

/// Reads what make_traces.py and make_traces_numpy.py write; trace_file.py has the format.
std::vector<Trace> read_traces(const std::string& name) {
  std::ifstream file(std::string(LOCKSTEP_SOURCE_DIR) + "/tests/optim/" + name);
  std::map<std::string, Rows> gradients;
  std::vector<Trace> traces;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word, key;
    words >> word;
    if (word == "gradients") {
      words >> key;
      gradients[key] = read_rows(file);
      continue;
    }
    if (word == "case") traces.emplace_back();
    Trace& trace = traces.back();
    if (word == "case") words >> trace.optimizer >> trace.name;
    if (word == "option") {
      words >> key;
      words >> trace.options[key];
    }
    if (word == "l1") words >> trace.settings.l1;
    if (word == "l2") words >> trace.settings.l2;
    if (word == "decay") words >> trace.settings.weight_decay;
    if (word == "penalized") words >> trace.is_penalized;
    if (word == "rates") trace.rates = numbers(words);
    if (word == "use") {
      words >> key;
      trace.gradients = gradients.at(key);
    }
    if (word == "start") {
      trace.start = numbers(words);
      trace.weights = read_rows(file);
    }
  }
  return traces;
}

std::vector<Trace> all_traces() {
  std::vector<Trace> traces = read_traces("torch_traces.txt");
  for (Trace& trace : read_traces("numpy_traces.txt")) traces.push_back(std::move(trace));
  return traces;
}

std::vector<float> to_floats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

class OptimizerTraces : public ::testing::TestWithParam<Trace> {};

/// The product works in float: each of 24 steps rounds weight, state and rate by up to 2^-24 = 6e-8 of
/// themselves, several times over, with signs that mostly cancel. 24 such roundings in one direction
/// are 1.4e-6 of the largest weight the parameter has had. The variants to be told apart (epsilon inside the
/// root, no correction of the start, …) differ by 1e-3 and more.
constexpr double kTolerance = 1.4e-6;

TEST_P(OptimizerTraces, AgreesWithTheReference) {
  const Trace& trace = GetParam();
  ASSERT_EQ(trace.rates.size(), kSteps);
  ASSERT_EQ(trace.weights.size(), kSteps);
  const auto optimizer = make_optimizer(trace.optimizer, trace.options);
  TrainedVector vector(*optimizer, to_floats(trace.start), trace.is_penalized);
  std::vector<double> scale(kParameters);
  for (std::size_t i = 0; i < kParameters; ++i) scale[i] = std::abs(trace.start[i]);
  for (std::size_t step = 0; step < kSteps; ++step) {
    StepSettings settings = trace.settings;
    settings.step = static_cast<Index>(step) + 1;
    settings.rate = trace.rates[step];
    vector.step(settings, to_floats(trace.gradients[step]));
    for (std::size_t i = 0; i < kParameters; ++i) {
      const double expected = trace.weights[step][i];
      scale[i] = std::max(scale[i], std::abs(expected));
      EXPECT_NEAR(vector.weight(i), expected, kTolerance * scale[i])
          << "step " << step + 1 << ", parameter " << i;
      if (trace.settings.l1 > 0) {
        EXPECT_EQ(vector.weight(i) == 0, expected == 0) << "step " << step + 1 << ", parameter " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(PyTorchAndPapers, OptimizerTraces, ::testing::ValuesIn(all_traces()),
                         [](const auto& trace) {
                           std::string name = trace.param.optimizer + "_" + trace.param.name;
                           for (char& letter : name)
                             if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
                           return name;
                         });

}  // namespace
}  // namespace lockstep::testing
