// SPDX-License-Identifier: Apache-2.0
#include "data/demo.h"

#include <charconv>
#include <cmath>
#include <map>

#include "core/philox.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

struct DemoOptions {
  std::string name;
  Index rows = 10000;
  Index features = 20;
  Index classes = 3;
  double noise = 1;
  std::uint64_t seed = 1;
  Index first_row = 0;
};

constexpr Index kPartDistance = Index{1} << 40;

[[noreturn]] void fail(const std::string& source, const std::string& what) {
  throw Error(ExitCode::kData, source + ": " + what);
}

template <class Number>
void parse(const std::string& source, std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size())
    fail(source, "\"" + std::string(text) + "\" is not a number");
}

DemoOptions parse_source(const std::string& source) {
  DemoOptions options;
  std::string_view rest = std::string_view(source).substr(5);
  const auto question = rest.find('?');
  options.name = rest.substr(0, question);
  rest = question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const auto equals = pair.find('=');
    const std::string_view key = pair.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    if (key == "rows")
      parse(source, value, options.rows);
    else if (key == "features")
      parse(source, value, options.features);
    else if (key == "classes")
      parse(source, value, options.classes);
    else if (key == "noise")
      parse(source, value, options.noise);
    else if (key == "seed")
      parse(source, value, options.seed);
    else if (key == "part")
      options.first_row = kPartDistance * (value == "test" ? 1 : value == "valid" ? 2 : 0);
    else
      fail(source, "unknown option \"" + std::string(key) + "\"");
  }
  return options;
}

float normal(std::uint32_t a, std::uint32_t b) {
  const float radius = std::sqrt(-2.0F * std::log(1.0F - Philox::to_unit(a)));
  return radius * std::cos(6.2831853F * Philox::to_unit(b));
}

}  // namespace

bool DemoFormat::matches(std::string_view source, std::string_view) {
  return source.substr(0, 5) == "demo:";
}

void DemoFormat::read(const std::string& source, RowSink& sink) const {
  const DemoOptions options = parse_source(source);
  const bool is_blobs = options.name == "blobs";
  if (!is_blobs && options.name != "logistic") fail(source, "unknown demo set");
  const auto width = static_cast<std::size_t>(options.features);
  const Index classes = is_blobs ? options.classes : 2;
  RowSchema schema;
  schema.features = options.features;
  schema.rows = options.rows;
  for (Index k = 0; k < classes; ++k) schema.classes.push_back(std::to_string(k));
  sink.begin(schema);
  const Philox truth_random(options.seed, Purpose::kDemo, 0xFFFFFFFFU);
  std::vector<float> truth(width * static_cast<std::size_t>(classes)), values(width);
  for (std::size_t j = 0; j < truth.size(); ++j) {
    const auto words = truth_random.words(j);
    truth[j] = 2 * normal(words[0], words[1]);
  }
  for (Index i = 0; i < options.rows; ++i) {
    if (!sink.wants_next()) {
      sink.skip();
      continue;
    }
    const auto number = static_cast<std::uint64_t>(options.first_row + i);
    const Philox random(options.seed, Purpose::kDemo, static_cast<std::uint32_t>(number),
                        static_cast<std::uint32_t>(number >> 32));
    const std::size_t blob = random.below(width, static_cast<std::uint64_t>(classes));
    float score = 0;
    for (std::size_t j = 0; j < width; ++j) {
      const auto words = random.words(j);
      values[j] = normal(words[0], words[1]);
      if (is_blobs)
        values[j] += truth[blob * width + j];
      else
        score += values[j] * truth[j];
    }
    Row row;
    row.line = i + 1;
    row.dense = values.data();
    row.label.number = is_blobs ? static_cast<double>(blob)
                                : static_cast<double>(random.uniform(width) < 1 / (1 + std::exp(-score)));
    sink.add(row);
  }
}

}  // namespace lockstep
