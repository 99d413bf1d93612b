// SPDX-License-Identifier: Apache-2.0
#include "train/dump.h"

#include <fmt/format.h>

#include "core/atomic_file.h"
#include "core/json.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

const std::string kFormat = "lockstep-dump-1";

}  // namespace

std::string dump_name(Index step) {
  return fmt::format("dump/step-{}", step);
}

std::string dump_json(const TroubleReport& trouble) {
  return Json{{"what", trouble.what},    {"step", trouble.step}, {"epoch", trouble.epoch},
              {"first", trouble.first},  {"last", trouble.last}, {"loss", fmt::format("{}", trouble.loss)},
              {"detail", trouble.detail}}
             .dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

void write_dump(const fs::path& folder, const std::string& config, const std::string& state,
                const std::vector<TensorView>& weights) {
  write_safetensors(folder / "state.safetensors", {{"format", kFormat}, {"config", config}, {"state", state}},
                    weights);
}

TensorFile read_dumped_state(const fs::path& folder) {
  const fs::path path = folder / "state.safetensors";
  TensorFile file = read_safetensors(path);
  const auto& metadata = file.metadata;
  if (!metadata.contains("format") || metadata.at("format") != kFormat || !metadata.contains("config") ||
      !metadata.contains("state") || !metadata.contains("checksum"))
    throw Error(ExitCode::kData, path.string() + ": is not a dump of this program");
  return file;
}

TroubleReport read_dump(const fs::path& folder) {
  const fs::path path = folder / "dump.json";
  try {
    const Json json = Json::parse(read_file(path));
    TroubleReport trouble;
    json.at("what").get_to(trouble.what);
    json.at("step").get_to(trouble.step);
    json.at("epoch").get_to(trouble.epoch);
    json.at("first").get_to(trouble.first);
    json.at("last").get_to(trouble.last);
    json.at("detail").get_to(trouble.detail);
    trouble.loss = std::stod(json.at("loss").get<std::string>());
    return trouble;
  } catch (const std::exception& error) {
    throw Error(ExitCode::kData, path.string() + ": is malformed: " + error.what());
  }
}

fs::path find_dump(const fs::path& run_or_dump) {
  if (fs::exists(run_or_dump / "dump.json")) return run_or_dump;
  fs::path newest;
  Index last = -1;
  if (!fs::is_directory(run_or_dump / "dump")) return newest;
  for (const auto& entry : fs::directory_iterator(run_or_dump / "dump")) {
    if (!fs::exists(entry.path() / "dump.json")) continue;
    const Index step = read_dump(entry.path()).step;
    if (step <= last) continue;
    last = step;
    newest = entry.path();
  }
  return newest;
}

}  // namespace lockstep
