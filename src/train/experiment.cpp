// SPDX-License-Identifier: Apache-2.0
#include "train/experiment.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "core/config.h"
#include "core/json.h"
#include "data/hashed_features.h"
#include "lockstep/core/error.h"
#include "model/loss_registry.h"

namespace lockstep {

namespace {

std::string shape_text(const std::vector<Index>& shape) {
  std::string text;
  for (const Index extent : shape) text += (text.empty() ? "" : " × ") + std::to_string(extent);
  return text;
}

Json encoding_json(const ColumnEncoding& encoding) {
  return {{"count", encoding.columns},
          {"embeds", encoding.embeds},
          {"is_sparse", encoding.is_sparse},
          {"names", encoding.column_names},
          {"is_category", encoding.is_category},
          {"categories", encoding.categories},
          {"fill", encoding.fill},
          {"indicators", encoding.indicators}};
}

ColumnEncoding parse_encoding(const Json& json) {
  ColumnEncoding encoding;
  json.at("count").get_to(encoding.columns);
  json.at("embeds").get_to(encoding.embeds);
  json.at("is_sparse").get_to(encoding.is_sparse);
  json.at("names").get_to(encoding.column_names);
  json.at("is_category").get_to(encoding.is_category);
  json.at("categories").get_to(encoding.categories);
  json.at("fill").get_to(encoding.fill);
  json.at("indicators").get_to(encoding.indicators);
  return encoding;
}

std::string schema_text(const TrainedSchema& schema) {
  Json json{{"features", schema.features},           {"is_sparse", schema.is_sparse},
            {"index_base", schema.index_base},       {"classes", schema.classes},
            {"feature_names", schema.feature_names}, {"shift", schema.preprocessing.shift},
            {"scale", schema.preprocessing.scale}};
  if (schema.encoding.is_on()) json["columns"] = encoding_json(schema.encoding);
  json["hashed"] = hashed_json(schema.hashed);
  json["has_weights"] = schema.has_weights;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

TrainedSchema parse_schema(const std::filesystem::path& path, const std::string& text) {
  try {
    const Json json = Json::parse(text);
    TrainedSchema schema;
    schema.features = json.at("features").get<Index>();
    schema.is_sparse = json.at("is_sparse").get<bool>();
    schema.index_base = json.at("index_base").get<int>();
    schema.classes = json.at("classes").get<std::vector<std::string>>();
    schema.feature_names = json.at("feature_names").get<std::vector<std::string>>();
    schema.preprocessing.shift = json.at("shift").get<std::vector<float>>();
    schema.preprocessing.scale = json.at("scale").get<std::vector<float>>();
    if (json.contains("columns")) schema.encoding = parse_encoding(json.at("columns"));
    schema.hashed = json.contains("hashed") ? parse_hashed(json.at("hashed")) : HashedFeatures{-1, 0, 0, {}};
    schema.has_weights = json.value("has_weights", false);
    check_schema(schema);
    return schema;
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kData,
                path.string() + ": the schema in its metadata is malformed: " + error.what());
  }
}

std::string list_text(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) text += (i > 0 ? ", " : "") + names[i];
  return text + (names.size() > kShown ? ", …" : "");
}

// Weights of a class or a feature would silently begin as those of another.
void start_from(const ModelFile& start, const std::string& path, TrainedModel& model) {
  const TrainedSchema &theirs = start.schema, &ours = model.schema;
  if (theirs.classes != ours.classes && theirs.classes.size() == ours.classes.size())
    throw Error(ExitCode::kData, path + " (model.init) has the classes " + list_text(theirs.classes) +
                                     "; the training data has " + list_text(ours.classes));
  const bool are_named = !theirs.feature_names.empty() && !ours.feature_names.empty();
  if (are_named && theirs.feature_names != ours.feature_names)
    throw Error(ExitCode::kData, path + " (model.init) has the features " + list_text(theirs.feature_names) +
                                     "; the training data has " + list_text(ours.feature_names));
  const std::string difference = hash_difference(theirs.hashed, ours.hashed);
  if (!difference.empty())
    throw Error(ExitCode::kData,
                path + " (model.init) was trained on other features than those of data.train: " + difference);
  copy_tensors(start.file, "", model.model->layout(), model.weights.data());
}

}  // namespace

std::vector<TensorView> TrainedModel::tensors(const float* values) const {
  std::vector<TensorView> views;
  for (const Tensor& tensor : model->layout().tensors())
    views.push_back({tensor.name, tensor.shape, values + tensor.offset, tensor.size});
  return views;
}

std::unique_ptr<Loss> make_loss(const Options& options, const Plugins& plugins) {
  const ModelRow& row = plugins.models.find(options.text("model.name"));
  return plugins.losses.find(resolve_loss(row, options.text("model.loss"))).create(options);
}

namespace {

// Linux grants more memory than there is and ends the program that uses it. Training has two copies of the
// weights at least.
void allocate(Index parameters, AlignedVector<float>& weights) {
  const double needed = 2.0 * sizeof(float) * static_cast<double>(parameters);
  const double there =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  try {
    if (needed > there) throw std::bad_alloc();
    weights.assign(static_cast<std::size_t>(parameters), 0.0F);
  } catch (const std::bad_alloc&) {
    throw Error(
        ExitCode::kHosts,
        fmt::format(
            "a model of {} parameters takes {:.1f} GB of memory or more, which this machine does not give; "
            "data.hash_bits makes fewer features of sparse rows",
            parameters, needed / 1e9));
  }
}

}  // namespace

TrainedModel make_model(const Options& options, const Plugins& plugins, const TrainedSchema& schema,
                        Index most_parameters) {
  TrainedModel result;
  result.schema = schema;
  result.loss = make_loss(options, plugins);
  result.outputs = result.loss->outputs(static_cast<Index>(schema.classes.size()));
  const auto seed = static_cast<std::uint64_t>(options.integer("run.seed"));
  const ModelShape shape{schema.features, result.outputs, schema.is_sparse, schema.encoding.category_counts(),
                         most_parameters};
  result.model = plugins.models.find(options.text("model.name")).create(options, seed, shape);
  if (!shape.categories.empty() && !result.model->takes_categories())
    throw Error(ExitCode::kConfig,
                "data.categories = \"embed\" is for models that embed categories (mlp); " +
                    options.text("model.name") +
                    " would take their numbers for quantities: use \"onehot\" or \"hash\"");
  allocate(result.model->layout().size(), result.weights);
  if (const std::string& start = options.text("model.init"); start.empty())
    result.model->initialize(seed, result.weights.data());
  else
    start_from(read_model_file(start), start, result);
  return result;
}

std::string save_weights(const std::filesystem::path& path, const Options& options, const TrainedModel& model,
                         const float* weights) {
  const auto tensors = model.tensors(weights);
  return write_safetensors(path,
                           {{"format", "lockstep-model-1"},
                            {"config", to_toml(options, false)},
                            {"schema", schema_text(model.schema)},
                            {"parameters_hash", hash_of(tensors)}},
                           tensors);
}

std::string save_model(const std::filesystem::path& path, const Options& options, const TrainedModel& model) {
  return save_weights(path, options, model, model.weights.data());
}

ModelFile read_model_file(const std::filesystem::path& run_or_file) {
  auto path = run_or_file;
  if (std::filesystem::is_directory(path)) path /= "model.safetensors";
  if (!std::filesystem::exists(path))
    throw Error(ExitCode::kData, path.string() + ": no such file; a finished run has a model.safetensors");
  ModelFile result;
  result.file = read_safetensors(path);
  const auto& metadata = result.file.metadata;
  if (!metadata.contains("format") || !metadata.contains("config") || !metadata.contains("schema") ||
      !metadata.contains("checksum"))
    throw Error(ExitCode::kData,
                path.string() + ": is not a model of this program: config, schema or checksum is missing");
  if (metadata.at("format") != "lockstep-model-1")
    throw Error(ExitCode::kData, path.string() + ": has format " + metadata.at("format") +
                                     "; this program reads lockstep-model-1");
  result.config = metadata.at("config");
  result.schema = parse_schema(path, metadata.at("schema"));
  return result;
}

void copy_tensors(const TensorFile& file, const std::string& prefix, const ParameterLayout& layout,
                  float* values) {
  for (const Tensor& tensor : layout.tensors()) {
    const TensorData* data = file.find(prefix + tensor.name);
    if (data == nullptr) throw Error(ExitCode::kData, "the model file has no tensor " + prefix + tensor.name);
    if (data->shape != tensor.shape)
      throw Error(ExitCode::kData, "tensor " + prefix + tensor.name + " is " + shape_text(data->shape) +
                                       " in the model file; this model has " + shape_text(tensor.shape));
    std::copy(data->values.begin(), data->values.end(), values + tensor.offset);
  }
}

}  // namespace lockstep
