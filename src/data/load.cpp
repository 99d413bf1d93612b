// SPDX-License-Identifier: Apache-2.0
#include "data/load.h"

#include <array>

#include "data/byte_source.h"
#include "data/dataset_builder.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

/// Passes the rows of one source to a builder and hashes them.
class SingleSink final : public RowSink {
 public:
  explicit SingleSink(DatasetBuilder& builder) : builder_(builder) {}
  void begin(const RowSchema& schema) override { builder_.begin(schema); }
  bool wants_next() const override { return true; }
  void skip() override {}
  void add(const Row& row) override { builder_.add(row); }

 private:
  DatasetBuilder& builder_;
};

std::unique_ptr<Format> format_of(const std::string& source, const Options& options,
                                  const Registry<FormatRow>& formats) {
  const std::string& name = options.text("data.format");
  if (source.rfind("demo:", 0) != 0 && name != "auto") return formats.find(name).create(options);
  std::array<char, 4096> head{};
  std::size_t size = 0;
  if (source.rfind("demo:", 0) != 0) size = ByteSource(source).read(head.data(), head.size());
  for (const FormatRow& row : formats.rows())
    if (row.matches != nullptr && row.matches(source, {head.data(), size})) return row.create(options);
  throw Error(ExitCode::kData, source + ": its format is not recognised, name it by data.format");
}

float byte_scale(const Options& options) {
  const std::string& scale = options.text("data.scale");
  return scale == "auto" ? 1.0F / 255 : scale == "none" ? 1.0F : std::stof(scale);
}

Dataset load_one(const std::string& source, const Options& options, const Registry<FormatRow>& formats,
                 const LoadPlan& plan, LabelTable& labels) {
  DatasetBuilder builder({source, plan.task, plan.shards, plan.hosted, true, plan.check_label}, labels);
  SingleSink sink(builder);
  format_of(source, options, formats)->read(source, sink);
  Preprocessing preprocessing;
  if (builder.schema().is_bytes) preprocessing.scale = {byte_scale(options)};
  return builder.finish(preprocessing, source);
}

std::optional<Dataset> load_further(const std::string& source, const DatasetInfo& train,
                                    const Options& options, const Registry<FormatRow>& formats,
                                    const LoadPlan& plan) {
  if (source.empty()) return std::nullopt;
  LabelTable labels(train.classes);
  return load_one(source, options, formats, plan, labels);
}

}  // namespace

void declare_data_options(OptionTable& table) {
  table.text("data.train", "", "Training data: a file or demo:NAME?rows=N&…");
  table.text("data.valid", "", "Validation data: a file, or \"split:0.2\" of the training rows");
  table.text("data.test", "", "Test data: a file");
  table.text("data.format", "auto", "Format of all data files");
  table.text("data.labels", "", "Labels file of IDX and NPY data; empty: found from the name");
  table.text("data.scale", "auto", "Scaling of features: auto (bytes by 1/255), none, minmax or a number");
}

DataSets load_datasets(const Options& options, const Registry<FormatRow>& formats, const LoadPlan& plan) {
  LabelTable labels;
  Dataset train = load_one(options.text("data.train"), options, formats, plan, labels);
  auto valid = load_further(options.text("data.valid"), train.info(), options, formats, plan);
  auto test = load_further(options.text("data.test"), train.info(), options, formats, plan);
  return {std::move(train), std::move(valid), std::move(test)};
}

Dataset load_dataset_for(const TrainedSchema& schema, const std::string& source, bool needs_labels,
                         const Options& options, const Registry<FormatRow>& formats, const LoadPlan& plan) {
  (void)needs_labels;
  LabelTable labels(schema.classes);
  return load_one(source, options, formats, plan, labels);
}

}  // namespace lockstep
