// SPDX-License-Identifier: Apache-2.0
#include "data/load.h"

#include "comm/agreement.h"
#include "core/hash.h"
#include "data/class_weights.h"
#include "data/csv_categories.h"
#include "data/dataset_builder.h"
#include "data/memory_limit.h"
#include "data/source_reader.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// All weights get memory, whoever uses them: one index must not ask for gigabytes.
constexpr Index kFreeFeatures = Index{1} << 24, kFeaturesPerRow = 100'000;

/// What does not change from file to file.
struct Context {
  const Options& options;
  const Registry<FormatRow>& formats;
  const LoadPlan& plan;
  MemoryLimit& limit;

  SourceReader reader() const { return {options, formats, plan, limit}; }
};

// Collective, if there is a communicator. What one rank throws, all throw.
template <class Work>
void in_step(const Context& context, const Work& work) {
  if (context.plan.communicator == nullptr) return work();
  on_all_ranks(*context.plan.communicator, work);
}

DatasetBuilder::Settings settings_for(const std::string& source, const Context& context) {
  DatasetBuilder::Settings settings;
  settings.source = source;
  settings.task = context.plan.task;
  settings.shards = context.plan.shards;
  settings.hosted = context.plan.hosted;
  settings.check_label = context.plan.check_label;
  settings.columns = ColumnNotes::plan(context.options);
  return settings;
}

std::string fingerprint(const std::string& rows_hash, const DatasetBuilder& rows, const Context& context) {
  Hash hash;
  hash.add(rows_hash);
  hash.add("\n" + reading_rules(context.options, context.plan.folds));
  for (const std::string& text : rows.category_texts()) hash.add("\n" + text);
  return hash.hex();
}

Dataset load_further(const TrainedSchema& schema, const std::string& source, const std::string& labels_key,
                     bool needs_labels, const Context& context) {
  const Options options = options_for(schema, context.options);
  const Context adapted{options, context.formats, context.plan, context.limit};
  LabelTable labels(schema.classes);
  DatasetBuilder::Settings settings = settings_for(source, adapted);
  settings.trained = &schema;
  settings.needs_labels = needs_labels;
  DatasetBuilder builder(settings, labels);
  const RowFilter all;
  RowTargets targets{builder, nullptr, all, labels};
  if (!needs_labels) targets.unlabelled_features = schema.columns();
  const std::string hash = adapted.reader().read(source, labels_key, false, targets);
  std::optional<Dataset> result;
  in_step(context, [&] {
    result.emplace(builder.finish({schema.features,
                                   schema.index_base,
                                   schema.preprocessing,
                                   {},
                                   fingerprint(hash, builder, adapted),
                                   schema.encoding}));
  });
  return std::move(*result);
}

int index_base(const DatasetBuilder& train, const DatasetBuilder& valid, const Options& options) {
  if (train.schema().features > 0) return 0;  // the source numbers its columns itself
  const std::string& base = options.text("data.index_base");
  if (base != "auto") return base == "0" ? 0 : 1;
  return train.extent().zero_line > 0 || valid.extent().zero_line > 0 ? 0 : 1;
}

Index feature_count(const DatasetBuilder& train, const DatasetBuilder& valid, int base,
                    const std::string& source, const Options& options) {
  const Index fixed = options.integer("data.features");
  const Index known = train.schema().features;
  if (known > 0 && fixed > 0 && fixed != known)
    throw Error(ExitCode::kData, source + ": has " + std::to_string(known) +
                                     " features, but data.features = " + std::to_string(fixed));
  if (known > 0) return known;
  if (fixed > 0) return fixed;
  const DatasetBuilder& widest = valid.extent().last > train.extent().last ? valid : train;
  const Index last = widest.extent().last, found = last - base + 1;
  if (found < 1) throw Error(ExitCode::kData, source + ": has no feature in any row");
  if (found > kFreeFeatures && found / kFeaturesPerRow > train.rows())
    throw Error(ExitCode::kData, widest.place_of_extent() + ": index " + std::to_string(last) + " makes " +
                                     std::to_string(found) + " features for " + std::to_string(train.rows()) +
                                     " rows; if they are meant, name their number by data.features");
  return found;
}

/// The builders of one source, which hold on to what they were made with.
struct TrainingRows {
  TrainingRows(const std::string& source, const Context& context)
      : filter(row_filter(context.options, context.plan.folds)),
        valid(settings_for(source, context), labels),
        train(settings_of_train(source, context), labels) {}

  static DatasetBuilder::Settings settings_of_train(const std::string& source, const Context& context) {
    DatasetBuilder::Settings settings = settings_for(source, context);
    settings.scale = scale_plan(context.options, false);
    settings.hash_bits = static_cast<int>(context.options.integer("data.hash_bits"));
    return settings;
  }

  const RowFilter filter;
  LabelTable labels;
  DatasetBuilder valid, train;
};

// Dense rows are what they are without the option.
void warn_of_hash_bits(DatasetBuilder& train, const Options& options) {
  const Index bits = options.integer("data.hash_bits");
  if (bits > 0 && train.rows() > 0 && !train.schema().is_sparse)
    train.warn(
        "data.hash_bits = " + std::to_string(bits) +
        " is not followed, rows are dense; data.categories = \"hash\" hashes the columns of CSV files");
}

DataSets finish_training(TrainingRows& rows, const std::string& source, const std::string& hash,
                         const Context& context) {
  const Options& options = context.options;
  DatasetBuilder &train = rows.train, &valid = rows.valid;
  const RowFilter& filter = rows.filter;
  if (train.rows() > 0 && filter.splits() && valid.rows() == 0)
    throw Error(ExitCode::kData,
                source + ": the split leaves no validation row of " + std::to_string(train.rows()) + " rows");
  valid.expect_classes_of(train);
  warn_of_hash_bits(train, options);

  DatasetBuilder::Transform transform;
  transform.index_base = train.schema().is_sparse ? index_base(train, valid, options) : 1;
  transform.features =
      train.rows() == 0 ? 0 : feature_count(train, valid, transform.index_base, source, options);
  if (train.rows() > 0) transform.preprocessing = train.learn(transform.features, transform.index_base);
  if (train.schema().is_bytes && transform.preprocessing.scale.empty()) {
    const ScalePlan plan = scale_plan(options, true);
    if (plan.kind == ScalePlan::Kind::kNumber) transform.preprocessing.scale = {plan.number};
  }
  if (train.rows() > 0) train.learn_columns(transform);
  transform.fingerprint = fingerprint(hash, train, context);
  std::optional<Dataset> valid_rows;
  if (filter.splits() && train.rows() > 0) valid_rows = valid.finish(transform);
  transform.class_weights =
      class_weights(options.text("data.class_weights"), rows.labels.names(), train.class_sums());
  return {train.finish(transform), std::move(valid_rows), std::nullopt};
}

// Collective. Training rows and, where the file is split, validation rows.
DataSets load_training(const Context& context) {
  const std::string& source = context.options.text("data.train");
  std::optional<TrainingRows> rows;
  in_step(context, [&] {
    if (source.empty())
      throw Error(ExitCode::kConfig, "data.train is not set: name a file, or demo:logistic?rows=10000");
    rows.emplace(source, context);
  });
  DatasetBuilder* const valid = rows->filter.splits() ? &rows->valid : nullptr;
  const std::string hash =
      context.reader().read(source, "", true, {rows->train, valid, rows->filter, rows->labels});
  std::optional<DataSets> sets;
  in_step(context, [&] { sets.emplace(finish_training(*rows, source, hash, context)); });
  return std::move(*sets);
}

}  // namespace

DataSets load_datasets(const Options& options, const Registry<FormatRow>& formats, const LoadPlan& plan) {
  MemoryLimit limit(options, plan);
  const Context context{options, formats, plan, limit};
  DataSets sets = load_training(context);
  const DatasetInfo& info = sets.train.info();  // the same on all ranks
  if (plan.task == Task::kClassification && info.classes.size() < 2)
    throw Error(ExitCode::kData, info.source + ": all rows have the label \"" + info.classes[0] +
                                     "\", at least two classes were expected");
  const TrainedSchema schema = schema_of(sets.train);
  if (has_valid_file(options))
    sets.valid = load_further(schema, options.text("data.valid"), "data.valid_labels", true, context);
  if (!options.text("data.test").empty())
    sets.test = load_further(schema, options.text("data.test"), "data.test_labels", true, context);
  return sets;
}

Options options_for(const TrainedSchema& schema, const Options& options) {
  Options result = options;
  const ColumnEncoding& encoding = schema.encoding;
  const bool is_hashed =
      options.text("data.categories") == "hash";  // what is missing is no matter of columns
  if (encoding.fill.empty() && !is_hashed)
    result.set("data.missing", std::string("refuse"), options.origin("data.missing"));
  if (schema.has_weights && options.text("data.label_weights") == "auto")
    result.set("data.label_weights", std::string("yes"), options.origin("data.label_weights"));
  if (!is_hashed)
    result.set("data.category_columns", category_list(encoding.is_category),
               options.origin("data.category_columns"));
  return result;
}

Dataset load_dataset_for(const TrainedSchema& schema, const std::string& source, bool needs_labels,
                         const Options& options, const Registry<FormatRow>& formats, const LoadPlan& plan) {
  MemoryLimit limit(options, plan);
  return load_further(schema, source, "", needs_labels, {options, formats, plan, limit});
}

}  // namespace lockstep
