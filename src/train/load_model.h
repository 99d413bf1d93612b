// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "core/config.h"
#include "train/experiment.h"

namespace lockstep {

/// A finished model, and the options it was trained with.
struct LoadedModel {
  Options options;
  TrainedModel model;
};

/// The options of a config as model files and checkpoints hold it. `request` comes on top; the environment
/// does not count. Throws Error(kConfig).
Options read_config_text(const OptionTable& table, const std::string& toml,
                         const ConfigRequest& request = {});

/// Reads a model file, or that of a run. `request` may change how data is read and evaluated. Throws
/// Error(kData), and Error(kConfig) for a key that belongs to the model.
LoadedModel load_model(const std::filesystem::path& run_or_file, const OptionTable& table,
                       const ConfigRequest& request, const Plugins& plugins);

/// The options by which `source` is read. Labels beside the file are found as in training, where it is a file
/// of the config.
Options reading_options(const LoadedModel& loaded, const std::string& source);

}  // namespace lockstep
