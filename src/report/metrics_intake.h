// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/run_record.h"

namespace lockstep {

/// Takes the lines of metrics.jsonl one by one. Every numeric member of a line becomes a course under its
/// key, except those that say where the line stands. Memory does not grow with the number of lines, apart
/// from 16 bytes for each hash.
class MetricsIntake {
 public:
  MetricsIntake(RunRecord* run, std::size_t buckets) : run_(*run), buckets_(buckets) {}

  void read(const std::filesystem::path& file);
  void add_line(std::string_view line);

 private:
  struct Field {
    std::string key;
    Course* course = nullptr;
  };
  struct Value {
    std::string_view key;
    double number = 0;
  };

  bool collect(std::string_view line);
  void add_nested(std::string_view line);
  void store();
  Course* course_of(std::string_view key, std::size_t place);

  RunRecord& run_;
  std::size_t buckets_;
  std::vector<Field> order_;  // of the keys in the line before: the next line has mostly the same
  // Of the line at hand.
  std::string_view kind_, hash_, source_;
  CoursePoint place_;
  bool is_best_ = false;
  std::vector<Value> values_;
};

}  // namespace lockstep
