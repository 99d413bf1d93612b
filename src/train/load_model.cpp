// SPDX-License-Identifier: Apache-2.0
#include "train/load_model.h"

#include "core/option_text.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// The labels file of data.train serves no other file.
void choose_labels(const std::string& source, Options& options) {
  const std::string& origin = options.origin("data.labels");
  if (origin.starts_with("--")) return;
  std::string labels;
  if (source == options.text("data.train")) labels = options.text("data.labels");
  if (source == options.text("data.valid")) labels = options.text("data.valid_labels");
  if (source == options.text("data.test")) labels = options.text("data.test_labels");
  options.set("data.labels", labels, "default");
}

void refuse_model_keys(const Options& trained, const Options& asked) {
  for (const OptionSpec& spec : asked.table().specs()) {
    const std::string table = spec.key.substr(0, spec.key.find('.'));
    if (table != "model" && table != "optim" && table != "train" && spec.key != "run.seed") continue;
    if (to_literal(trained.value(spec.key)) != to_literal(asked.value(spec.key)))
      throw Error(ExitCode::kConfig, asked.origin(spec.key) + ": " + spec.key +
                                         " belongs to the model, which has " +
                                         to_literal(trained.value(spec.key)));
  }
}

}  // namespace

Options read_config_text(const OptionTable& table, const std::string& toml, const ConfigRequest& request) {
  ConfigRequest whole = request;
  whole.read_environment = false;
  whole.text = toml;
  return resolve_config(table, whole);
}

LoadedModel load_model(const std::filesystem::path& run_or_file, const OptionTable& table,
                       const ConfigRequest& request, const Plugins& plugins) {
  const ModelFile file = read_model_file(run_or_file);
  LoadedModel loaded{read_config_text(table, file.config, request), {}};
  if (!request.sets.empty() || !request.files.empty())
    refuse_model_keys(read_config_text(table, file.config), loaded.options);
  loaded.options.set("model.init", std::string(), "default");  // its weights are in the file
  Index values = 0;  // a config that tells of more than these gets no memory
  for (const TensorData& tensor : file.file.tensors) values += static_cast<Index>(tensor.values.size());
  loaded.model = make_model(loaded.options, plugins, file.schema, values);
  copy_tensors(file.file, "", loaded.model.model->layout(), loaded.model.weights.data());
  return loaded;
}

Options reading_options(const LoadedModel& loaded, const std::string& source) {
  Options options = loaded.options;
  choose_labels(source, options);
  return options;
}

}  // namespace lockstep
