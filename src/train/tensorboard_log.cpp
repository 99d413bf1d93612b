// SPDX-License-Identifier: Apache-2.0
#include "train/tensorboard_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cmath>
#include <sstream>

#include "core/atomic_file.h"
#include "core/json.h"

namespace lockstep {

namespace {

double wall_clock() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string host() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

// Only step lines tell how far the run is; in others it would be a second curve of the same.
bool is_position(const std::string& key) {
  return key == "epoch" || key == "rows" || key == "train_s";
}

std::string tag_of(const std::string& kind, std::string key) {
  const auto dot = key.find('.');
  if (dot == std::string::npos) return kind + "/" + key;
  return key.replace(dot, 1, "/");
}

}  // namespace

TensorboardLog::TensorboardLog(RunDirectory& directory) {
  const auto folder = directory.file("tensorboard");
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const double start = wall_clock();
  // The name is what TensorBoard looks for, and the order it reads files in.
  file_.emplace(folder / ("events.out.tfevents." + std::to_string(std::llround(start)) + "." + host()),
                start);
  std::istringstream lines(read_file(directory.file("metrics.jsonl")));
  for (std::string line; std::getline(lines, line);) add(line, start);
  file_->flush();
  directory.tell_metrics_to([this](const std::string& line) {
    add(line, wall_clock());
    file_->flush();
  });
}

void TensorboardLog::add(const std::string& line, double wall_time) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("step") || !json.contains("kind")) return;
  const auto step = json.at("step").get<std::int64_t>();
  const auto kind = json.at("kind").get<std::string>();
  for (const auto& [key, value] : json.items()) {
    const bool is_known = key == "step" || (kind != "step" && is_position(key));
    if (value.is_number() && !is_known)
      file_->add_scalar(tag_of(kind, key), step, value.get<double>(), wall_time);
    if (!value.is_array()) continue;
    for (std::size_t rank = 0; rank < value.size(); ++rank)
      for (const auto& [name, number] : value[rank].items())
        if (number.is_number())
          file_->add_scalar(fmt::format("{}/{}/rank{}", kind, name, rank), step, number.get<double>(),
                            wall_time);
  }
}

}  // namespace lockstep
