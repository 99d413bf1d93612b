// SPDX-License-Identifier: Apache-2.0
#include "data/load.h"

#include <array>
#include <new>
#include <stdexcept>

#include "data/byte_source.h"
#include "data/class_weights.h"
#include "data/dataset_builder.h"
#include "data/row_router.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

bool is_demo(const std::string& source) {
  return source.rfind("demo:", 0) == 0;
}

/// What does not change from file to file.
struct Context {
  const Options& options;
  const Registry<FormatRow>& formats;
  const LoadPlan& plan;
};

const FormatRow& format_of(const std::string& source, const Context& context) {
  const std::string& name = context.options.text("data.format");
  if (is_demo(source)) return context.formats.find("demo");
  if (name != "auto") return context.formats.find(name);
  std::array<char, 65536> head{};
  const std::size_t size = ByteSource(source).read(head.data(), head.size());
  if (size == 0) throw Error(ExitCode::kData, source + ": is empty");
  for (const FormatRow& row : context.formats.rows())
    if (row.matches != nullptr && row.matches(source, {head.data(), size})) return row;
  throw Error(ExitCode::kData, source + ": its format is not recognised, name it by data.format");
}

void read_rows(const std::string& source, const std::string& labels_key, const Context& context,
               RowSink& sink) {
  Options options = context.options;
  if (!labels_key.empty())
    options.set("data.labels", context.options.text(labels_key), context.options.origin(labels_key));
  const auto format = format_of(source, context).create(options);
  try {
    format->read(source, sink);
  } catch (const std::bad_alloc&) {
    throw Error(ExitCode::kData, source + ": does not fit into the memory of this machine");
  } catch (const std::length_error&) {
    throw Error(ExitCode::kData, source + ": does not fit into the memory of this machine");
  }
}

DatasetBuilder::Settings settings_for(const std::string& source, const Context& context) {
  DatasetBuilder::Settings settings;
  settings.source = source;
  settings.task = context.plan.task;
  settings.shards = context.plan.shards;
  settings.hosted = context.plan.hosted;
  settings.check_label = context.plan.check_label;
  return settings;
}

std::string fingerprint(const std::string& source, const RowRouter& router, const Context& context) {
  Hash hash;
  hash.add(is_demo(source) ? source : router.hash());
  hash.add("\n" + reading_rules(context.options, context.plan.folds));
  return hash.hex();
}

Dataset load_further(const TrainedSchema& schema, const std::string& source, const std::string& labels_key,
                     bool needs_labels, const Context& context) {
  LabelTable labels(schema.classes);
  DatasetBuilder::Settings settings = settings_for(source, context);
  settings.trained = &schema;
  settings.needs_labels = needs_labels;
  DatasetBuilder builder(settings, labels);
  const RowFilter all;
  RowRouter router(builder, nullptr, all, !is_demo(source));
  if (!needs_labels) router.allow_unlabelled(schema.features);
  read_rows(source, labels_key, context, router);
  return builder.finish(
      {schema.features, schema.index_base, schema.preprocessing, {}, fingerprint(source, router, context)});
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
  const Index found = std::max(train.extent().last, valid.extent().last) - base + 1;
  if (found < 1) throw Error(ExitCode::kData, source + ": has no feature in any row");
  return found;
}

// Training rows and, where the file is split, validation rows.
DataSets load_training(const Context& context) {
  const Options& options = context.options;
  const std::string& source = options.text("data.train");
  if (source.empty())
    throw Error(ExitCode::kConfig, "data.train is not set: name a file, or demo:logistic?rows=10000");
  const RowFilter filter = row_filter(options, context.plan.folds);
  LabelTable labels;
  DatasetBuilder::Settings settings = settings_for(source, context);
  DatasetBuilder valid(settings, labels);
  settings.scale = scale_plan(options, false);
  DatasetBuilder train(settings, labels);
  RowRouter router(train, filter.splits() ? &valid : nullptr, filter, !is_demo(source));
  read_rows(source, "", context, router);
  if (train.rows() > 0 && filter.splits() && valid.rows() == 0)
    throw Error(ExitCode::kData,
                source + ": the split leaves no validation row of " + std::to_string(train.rows()) + " rows");
  valid.expect_classes_of(train);

  DatasetBuilder::Transform transform;
  transform.index_base = train.schema().is_sparse ? index_base(train, valid, options) : 1;
  transform.features =
      train.rows() == 0 ? 0 : feature_count(train, valid, transform.index_base, source, options);
  if (train.rows() > 0) transform.preprocessing = train.learn(transform.features, transform.index_base);
  if (train.schema().is_bytes && transform.preprocessing.scale.empty()) {
    const ScalePlan plan = scale_plan(options, true);
    if (plan.kind == ScalePlan::Kind::kNumber) transform.preprocessing.scale = {plan.number};
  }
  transform.fingerprint = fingerprint(source, router, context);
  std::optional<Dataset> valid_rows;
  if (filter.splits() && train.rows() > 0) valid_rows = valid.finish(transform);
  transform.class_weights =
      class_weights(options.text("data.class_weights"), labels.names(), train.class_sums());
  return {train.finish(transform), std::move(valid_rows), std::nullopt};
}

}  // namespace

DataSets load_datasets(const Options& options, const Registry<FormatRow>& formats, const LoadPlan& plan) {
  const Context context{options, formats, plan};
  DataSets sets = load_training(context);
  const DatasetInfo& info = sets.train.info();
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

Dataset load_dataset_for(const TrainedSchema& schema, const std::string& source, bool needs_labels,
                         const Options& options, const Registry<FormatRow>& formats, const LoadPlan& plan) {
  return load_further(schema, source, "", needs_labels, {options, formats, plan});
}

}  // namespace lockstep
