// SPDX-License-Identifier: Apache-2.0
#include "train/run_status.h"

#include <cstdio>

#include "core/atomic_file.h"
#include "core/caught_error.h"
#include "core/json.h"
#include "lockstep/core/error.h"
#include "train/generation.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

std::optional<Json> read_object(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return {};
  try {
    Json json = Json::parse(read_file(path), nullptr, false);
    if (json.is_object()) return json;
  } catch (const Error&) {  // gone in the meantime
  }
  return {};
}

}  // namespace

void write_status(const fs::path& run, const RunStatus& status) {
  const Json json{{"code", status.code}, {"rank", status.rank},     {"host", status.host},
                  {"step", status.step}, {"reason", status.reason}, {"generation", status.generation}};
  write_file_atomically(run / "status.json", json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::optional<RunStatus> read_status(const fs::path& run) {
  const std::optional<Json> json = read_object(run / "status.json");
  if (!json) return {};
  try {
    return RunStatus{json->at("code").get<int>(),          json->value("rank", 0),
                     json->value("host", std::string()),   json->value("step", Index{-1}),
                     json->value("reason", std::string()), json->value("generation", Index{0})};
  } catch (const Json::exception&) {
    return {};
  }
}

void StatusFile::write(int code, const std::string& reason) const {
  if (generation_ > 0 && generation_number(run_) > generation_) return;
  RunStatus status{code, communicator_.rank(), communicator_.host(), step_, reason, generation_};
  write_status(run_, status);
  status.generation = 0;
  if (code != 0 && !job_.empty()) write_status(job_, status);
}

void StatusFile::end(int code, const std::string& reason) const {
  if (!run_.empty() && communicator_.rank() == 0) write(code, reason);
}

void StatusFile::fail(const std::exception_ptr& error) const noexcept {
  std::error_code ignored;
  if (run_.empty() || !fs::is_directory(run_, ignored)) return;
  try {
    try {
      std::rethrow_exception(error);
    } catch (const AgreedError& agreed) {
      if (communicator_.rank() == 0) write(static_cast<int>(agreed.code()), agreed.what());
    } catch (...) {
      const Error lone = caught_error(std::current_exception());
      write(static_cast<int>(lone.code()), lone.what());
    }
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "lockstep: %s\n", failed.what());
  }
}

}  // namespace lockstep
