// SPDX-License-Identifier: Apache-2.0
#include "train/generation.h"

#include "core/atomic_file.h"
#include "core/json.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

fs::path path_in(const fs::path& run) {
  return run / "generation.json";
}

}  // namespace

std::optional<Generation> read_generation(const fs::path& run) {
  std::error_code error;
  if (!fs::exists(path_in(run), error) && !error) return std::nullopt;
  const std::string text = read_file(path_in(run));
  try {
    const Json json = Json::parse(text);
    Generation generation{json.at("generation").get<std::int64_t>(),
                          json.at("kept").get<std::vector<std::string>>()};
    if (generation.number < 1) throw Error(ExitCode::kData, "a generation is at least 1");
    return generation;
  } catch (const std::exception& error_in_text) {
    throw Error(ExitCode::kData, path_in(run).string() + ": is damaged: " + error_in_text.what());
  }
}

std::int64_t generation_number(const fs::path& run) {
  try {
    const std::optional<Generation> generation = read_generation(run);
    return generation ? generation->number : 0;
  } catch (const Error&) {  // damaged: the next start counts on from its checkpoints
    return 0;
  }
}

void write_generation(const fs::path& run, const Generation& generation) {
  const Json json = {{"generation", generation.number}, {"kept", generation.kept}};
  write_file_atomically(path_in(run), json.dump(1) + "\n");
}

}  // namespace lockstep
