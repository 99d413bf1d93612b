// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lockstep {

/// Which start of a run its directory belongs to: generation.json, {"generation": 3, "kept": [names]}. Every
/// start that writes to the directory takes the next number, and notes which checkpoints it found. A job that
/// was cut off and goes on writing has an older number: it is told so before it publishes anything, and what
/// it wrote nevertheless is in no list.
struct Generation {
  std::int64_t number = 0;
  std::vector<std::string> kept;  ///< checkpoints it began with, "step-000000012000-g0002", newest first
};

/// Nothing where the directory has none. Throws Error(kData) for one that is damaged, and where it cannot be
/// read.
std::optional<Generation> read_generation(const std::filesystem::path& run);

/// Its number; 0 where the directory has none, or it cannot be read.
std::int64_t generation_number(const std::filesystem::path& run);

/// Written atomically. Throws Error(kOutput) or Error(kIo).
void write_generation(const std::filesystem::path& run, const Generation& generation);

}  // namespace lockstep
