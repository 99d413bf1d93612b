// SPDX-License-Identifier: Apache-2.0
#include "data/demo_options.h"

#include <charconv>
#include <string_view>
#include <type_traits>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// Far beyond any training part, so that the parts share their truth but no row.
constexpr Index kPartDistance = Index{1} << 40;

[[noreturn]] void fail(const std::string& source, const std::string& what) {
  throw Error(ExitCode::kData, source + ": " + what);
}

template <class Number>
void read(const std::string& source, std::string_view key, std::string_view text, double low, double high,
          Number& out) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, out);
  const bool is_number = !text.empty() && error == std::errc{} && rest == end;
  if (is_number && static_cast<double>(out) >= low && static_cast<double>(out) <= high) return;
  const std::string kind = std::is_integral_v<Number> ? "a whole number" : "a number";
  fail(source, std::string(key) + "=" + std::string(text) + ": " + kind + " from " +
                   std::to_string(static_cast<long long>(low)) + " to " +
                   std::to_string(static_cast<long long>(high)) + " was expected");
}

Index first_row_of(const std::string& source, std::string_view part) {
  if (part == "train") return 0;
  if (part == "valid") return kPartDistance;
  if (part == "test") return 2 * kPartDistance;
  fail(source, "part=" + std::string(part) + ": train, valid or test was expected");
}

void set(const std::string& source, std::string_view key, std::string_view value, DemoOptions& options) {
  const double many = 1LL << 31;
  if (key == "rows") return read(source, key, value, 1, static_cast<double>(kPartDistance), options.rows);
  if (key == "features") return read(source, key, value, 1, many, options.features);
  if (key == "classes") return read(source, key, value, 2, 65536, options.classes);
  if (key == "nonzeros") return read(source, key, value, 1, many, options.nonzeros);
  if (key == "factors") return read(source, key, value, 1, 4096, options.factors);
  if (key == "power") return read(source, key, value, 1, 100, options.power);
  const bool is_regression = options.name == "linear" || options.name == "fm";
  if (key == "noise") return read(source, key, value, 0, is_regression ? 1e6 : 1, options.noise);
  if (key == "condition") return read(source, key, value, 1, 1e12, options.condition);
  if (key == "seed") return read(source, key, value, 0, 1.8e19, options.seed);
  if (key == "first_row") return read(source, key, value, 0, many * many / 2, options.first_row);
  if (key == "part")
    options.first_row = first_row_of(source, value);
  else
    fail(source,
         "\"" + std::string(key) +
             "\" is not one of: rows, features, classes, nonzeros, factors, power, noise, condition, seed, "
             "part, first_row");
}

void check(const std::string& source, const DemoOptions& options) {
  const bool is_fm = options.name == "fm";
  if ((is_fm || options.name == "sparse") && options.nonzeros > options.features)
    fail(source, "nonzeros may not be above features");
  if (is_fm && options.nonzeros < 2) fail(source, "nonzeros must be 2 or more");
  if (is_fm && options.classes > 2) fail(source, "classes may be 2; without it fm is a regression");
  if (is_fm && options.classes == 2 && options.noise > 1)
    fail(source, "noise is a share of the labels, at most 1");
  if (options.name == "spirals" && options.features < 2) fail(source, "features must be 2 or more");
  if (options.name == "blobs" && options.features < 31 && (Index{1} << options.features) < options.classes)
    fail(source, "too few features for so many classes, 2^features >= classes was expected");
}

}  // namespace

DemoOptions parse_demo(const std::string& source) {
  DemoOptions options;
  std::string_view rest = std::string_view(source).substr(std::string_view("demo:").size());
  const auto question = rest.find('?');
  options.name = rest.substr(0, question);
  rest = question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  if (options.name == "spirals") options.features = 2;
  if (options.name == "sparse") options.features = 10000;
  if (options.name == "fm") {
    options.features = 1000;
    options.nonzeros = 2;
    options.classes = 0;
  }
  if (options.name == "blobs" || options.name == "spirals") options.classes = 3;
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const auto equals = pair.find('=');
    set(source, pair.substr(0, equals), equals == std::string_view::npos ? "" : pair.substr(equals + 1),
        options);
  }
  check(source, options);
  return options;
}

}  // namespace lockstep
