// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "report/course.h"

namespace lockstep {

/// Curves of one data set with labels ("valid", "test"); what does not apply is empty.
struct SetCurves {
  struct ClassRow {
    std::string name;
    double rows = 0, precision = 0, recall = 0, f1 = 0;
  };
  std::string set;
  std::vector<std::array<double, 2>> roc;          ///< false positive share, true positive share
  std::vector<std::array<double, 2>> pr;           ///< recall, precision
  std::vector<std::array<double, 3>> calibration;  ///< mean predicted, share observed, rows
  std::vector<ClassRow> per_class;
  std::vector<std::array<double, 3>> residual_bins;  ///< low, high, count
  std::vector<std::array<double, 2>> residuals;      ///< predicted, label
};

/// Seconds of one rank.
struct RankSeconds {
  double data = 0, compute = 0, exchange = 0, wait = 0, update = 0;
  double late_ms = 0;  ///< in all: how much later than the first rank it came to exchanges
  double total() const { return data + compute + exchange + wait + update; }
};

/// What a run directory says of its run. Everything may be missing: a run that was killed stays readable.
struct RunRecord {
  std::filesystem::path folder;
  std::string name;                           ///< the folder's
  std::map<std::string, std::string> config;  ///< dotted key → value as TOML writes it
  std::map<std::string, double> facts;       ///< numbers of the first line of metrics.jsonl ("rows", "batch")
  std::map<std::string, std::string> notes;  ///< its texts ("task", "watch"), and "noise.source"
  std::map<std::string, double> summary;     ///< numbers of summary.json
  std::map<std::string, std::string> endings;  ///< texts of summary.json ("status", "parameters_hash")
  std::map<std::string, Course, std::less<>> courses;  ///< by key: "train.loss", "rate", "valid.accuracy"
  CoursePoint best;                                    ///< of the last evaluation that was the best
  bool has_best = false;
  std::vector<std::pair<std::int64_t, std::uint64_t>> hashes;  ///< step, first 16 digits of parameters_hash
  std::map<std::string, std::vector<std::vector<double>>>
      confusion;  ///< by set: rows labels, columns decisions
  std::vector<RankSeconds> ranks;
  std::vector<std::array<double, 2>> step_histogram;  ///< milliseconds, steps
  std::vector<SetCurves> curves;
  std::int64_t unread_lines = 0;  ///< of metrics.jsonl: cut off or damaged

  const Course* course(std::string_view key) const;  ///< null if there is none with a finite value
  double number(const std::string& key, double fallback) const;  ///< of the summary
  double fact(const std::string& key, double fallback) const;
  std::string setting(const std::string& key) const;  ///< of the config, without quotes; "" if missing
  double total_rows() const;                          ///< N; 0 where it cannot be told
  double batch() const;                               ///< rows of a step; 0 where it cannot be told
  double steps() const;
  bool diverged() const;
  std::string status() const;  ///< "finished", "target", …, "running or ended early"
};

/// Reads a run directory, its metrics line by line. `buckets` bounds what is kept of every course. Throws
/// Error(kData) where `folder` is no run directory.
RunRecord read_run(const std::filesystem::path& folder, std::size_t buckets = Course::kBuckets);

}  // namespace lockstep
