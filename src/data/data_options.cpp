// SPDX-License-Identifier: Apache-2.0
#include "data/data_options.h"

#include <cmath>

#include "data/numbers.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

constexpr std::string_view kSplit = "split:";

[[noreturn]] void fail(const Options& options, const std::string& key, const std::string& what) {
  throw Error(ExitCode::kConfig,
              options.origin(key) + ": " + key + " = \"" + options.text(key) + "\": " + what);
}

bool is_split(const std::string& valid) {
  return valid.rfind(kSplit, 0) == 0;
}

}  // namespace

void declare_data_options(OptionTable& table) {
  table.text("data.train", "",
             "Training data: a file, a list with commas, a pattern, or demo:NAME?rows=N&features=D");
  table.text("data.valid", "",
             "Validation data: a file, or \"split:0.2\" for that share of the training rows");
  table.text("data.test", "", "Test data: a file");
  table.text("data.format", "auto", "Format of all data files; auto looks at their first bytes");
  table.text("data.labels", "", "Labels file of data.train (IDX, NPY); empty: found from the name");
  table.text("data.valid_labels", "", "Labels file of data.valid (IDX, NPY)");
  table.text("data.test_labels", "", "Labels file of data.test (IDX, NPY)");
  table.text("data.label", "",
             "Label column of CSV and NPY: a name, or a number from 0 (from the end: -1); "
             "empty: label, class or target, else the last");
  table.text("data.weight", "", "Column of row weights of CSV and NPY, by name or number; empty: none");
  table
      .text("data.label_weights", "auto",
            "Whether the first word of LIBSVM rows may be label:weight; auto: where that of the first row is "
            "one, and in predict where it was so in data.train")
      .one_of({"auto", "yes", "no"});
  table.text("data.header", "auto", "Whether CSV files start with a line of names")
      .one_of({"auto", "yes", "no"});
  table
      .text("data.on_bad_row", "refuse",
            "What is done about a line of text that is no row, a row of an array with a value that is not "
            "finite, and a row whose label the loss or the model cannot take: refuse the file, or skip the "
            "row; the first 20 are named, all are counted")
      .one_of({"refuse", "skip"});
  table
      .text("data.missing", "refuse",
            "Empty fields of CSV files, NA, N/A, nan, null and ?: refused; taken for the mean of the column "
            "over "
            "data.train; taken for 0; or 0 with a further feature that says so")
      .one_of({"refuse", "mean", "zero", "indicator"});
  table
      .text("data.categories", "refuse",
            "Columns of words in CSV files: refused; a 0/1 feature for each category; all columns hashed by "
            "name "
            "and category into 2^data.hash_bits features; or the number of the category, for models that "
            "embed it")
      .one_of({"refuse", "onehot", "hash", "embed"});
  table.text(
      "data.category_columns", "",
      "Columns of CSV files that hold categories, by name or number from 0 with commas between, or none; "
      "empty: those with a word, which does not mean a missing value, in the first 1,000 lines of any of "
      "the files (hash: any word)");
  table
      .integer("data.hash_bits", 0,
               "Features of LIBSVM, libffm and (data.categories = \"hash\") CSV files are hashed into a "
               "table of 2 "
               "to the power of this, with signs; 0: not at all")
      .range(0, 31);
  table.integer("data.hash_seed", 1, "Seed of data.hash_bits").range(0);
  table.text("data.delimiter", "auto", "What separates the fields of CSV files")
      .one_of({"auto", ",", ";", "tab"});
  table.integer("data.features", 0, "Number of features of sparse data; 0: the largest index of data.train")
      .range(0, 2147483648.0);
  table.text("data.index_base", "auto", "Whether LIBSVM indices count from 0 or 1; auto: from 0 if one is 0")
      .one_of({"auto", "0", "1"});
  table.flag("data.standardize", false,
             "Shift and scale every feature to mean 0 and variance 1 of data.train; "
             "sparse features are only scaled");
  table.text("data.scale", "auto",
             "Scaling of features: auto (bytes by 1/255, others not), none, minmax (to "
             "0 … 1) or a factor");
  table.text("data.class_weights", "none",
             "Factor on the training rows of a class: none, balanced or "
             "\"name:1.5,other:2\"");
  table
      .integer("data.shuffle_window", 0,
               "Rows of a shard that are permuted among each other, after stretches of 64 KiB of the file "
               "were; 0: all of them, but those of 16 stretches where dense rows have at most 256 features "
               "and are 16 million numbers or more")
      .range(0, 4294967295.0);
  table.text("data.cache", "auto",
             "Where the rows of text files are kept for the next start: auto (those of 16 MiB or more, in a "
             "folder beside run.root), on (all, there), off, or a folder");
  table.text("data.cache_check", "sampled", "How much of a file is hashed to find whether its cache is stale")
      .one_of({"sampled", "full"});
  table.text("data.memory_limit", "",
             "What the rows of all data sets may take in the memory of all ranks, as \"1GB\"; rows that are "
             "more are streamed from their cache file, with the same bits; empty: no limit");
  table.integer("data.split_seed", 1, "Seed of split: and of folds").range(0);
}

ScalePlan scale_plan(const Options& options, bool is_bytes) {
  const std::string& scale = options.text("data.scale");
  if (options.flag("data.standardize")) {
    if (scale != "auto" && scale != "none") fail(options, "data.scale", "excludes data.standardize = true");
    return {ScalePlan::Kind::kStandardize, 1};
  }
  if (scale == "auto" && is_bytes) return {ScalePlan::Kind::kNumber, 1.0F / 255};
  if (scale == "auto" || scale == "none") return {};
  if (scale == "minmax") return {ScalePlan::Kind::kMinMax, 1};
  double number = 0;
  if (!read_whole(scale, number) || !std::isnormal(static_cast<float>(number)))
    fail(options, "data.scale", "auto, none, minmax or a finite number other than 0 was expected");
  return {ScalePlan::Kind::kNumber, static_cast<float>(number)};
}

RowFilter row_filter(const Options& options, FoldPlan folds) {
  const std::string& valid = options.text("data.valid");
  const auto seed = static_cast<std::uint64_t>(options.integer("data.split_seed"));
  if (folds.folds > 0) {
    if (!valid.empty()) fail(options, "data.valid", "folds bring their own validation rows, leave it empty");
    return {seed, folds};
  }
  if (!is_split(valid)) return {};
  double share = 0;
  if (!read_whole(std::string_view(valid).substr(kSplit.size()), share) || !(share > 0 && share < 1))
    fail(options, "data.valid", "a share between 0 and 1 was expected, as in \"split:0.2\"");
  return {seed, share};
}

bool has_valid_file(const Options& options) {
  const std::string& valid = options.text("data.valid");
  return !valid.empty() && !is_split(valid);
}

std::string reading_rules(const Options& options, FoldPlan folds) {
  std::string text;
  for (const char* key :
       {"data.label", "data.weight", "data.header", "data.delimiter", "data.index_base", "data.scale",
        "data.class_weights", "data.on_bad_row", "data.missing", "data.categories", "data.category_columns"})
    text += options.text(key) + "\n";
  if (options.text("data.label_weights") != "auto") text += options.text("data.label_weights") + "\n";
  text += options.flag("data.standardize") ? "standardize\n" : "\n";
  for (const char* key : {"data.features", "data.split_seed", "data.hash_bits", "data.hash_seed"})
    text += std::to_string(options.integer(key)) + "\n";
  if (!has_valid_file(options)) text += options.text("data.valid");
  return text + "\n" + std::to_string(folds.folds) + "\n" + std::to_string(folds.fold);
}

}  // namespace lockstep
