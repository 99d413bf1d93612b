// SPDX-License-Identifier: Apache-2.0
#include "report/run_record.h"

#include <charconv>
#include <cmath>

namespace lockstep {

namespace {

template <class Value>
Value value_or(const std::map<std::string, Value>& values, const std::string& key, Value fallback) {
  const auto found = values.find(key);
  return found == values.end() ? fallback : found->second;
}

}  // namespace

const Course* RunRecord::course(std::string_view key) const {
  const auto found = courses.find(key);
  return found == courses.end() || found->second.empty() ? nullptr : &found->second;
}

double RunRecord::number(const std::string& key, double fallback) const {
  return value_or(summary, key, fallback);
}

double RunRecord::fact(const std::string& key, double fallback) const {
  return value_or(facts, key, fallback);
}

std::string RunRecord::setting(const std::string& key) const {
  const std::string value = value_or(config, key, std::string());
  return value.size() >= 2 && value.front() == '"' && value.back() == '"' ? value.substr(1, value.size() - 2)
                                                                          : value;
}

double RunRecord::total_rows() const {
  if (const double rows = fact("rows", 0); rows > 0) return rows;
  const Course* loss = course("train.loss");
  return loss && loss->last().epoch > 0 ? std::round(loss->last().rows / loss->last().epoch) : 0;
}

double RunRecord::batch() const {
  if (const double batch = fact("batch", number("batch", 0)); batch > 0) return batch;
  const std::string text = setting("train.batch");
  double batch = 0;
  std::from_chars(text.data(), text.data() + text.size(), batch);
  return text == "full" ? total_rows() : batch;
}

double RunRecord::steps() const {
  const Course* loss = course("train.loss");
  return number("steps", loss ? loss->last().step : 0);
}

bool RunRecord::diverged() const {
  const auto loss = courses.find("train.loss");
  return value_or(endings, "status", std::string()) == "diverged" ||
         (loss != courses.end() && loss->second.ends_not_finite());
}

std::string RunRecord::status() const {
  if (diverged()) return "diverged";
  return value_or(endings, "status", std::string("running or ended early"));
}

}  // namespace lockstep
