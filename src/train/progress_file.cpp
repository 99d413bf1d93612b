// SPDX-License-Identifier: Apache-2.0
#include "train/progress_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>

#include "core/json.h"

namespace lockstep {

std::string ProgressFile::write(std::optional<std::int64_t> generation, const RankRecord::Reading& now,
                                const std::string& host) {
  const Json json{{"generation", generation ? Json(*generation) : nullptr},
                  {"step", now.step},
                  {"phase", name_of(now.phase)},
                  {"pid", getpid()},
                  {"host", host},
                  {"moves", now.moves}};
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  // Not mkostemps and its umask(), which belongs to all threads.
  const std::string temporary = fmt::format("{}.{:08x}.tmp", path_.string(), std::random_device{}());
  const int descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  bool is_written = descriptor >= 0;
  if (is_written)
    is_written = ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  int error = errno;
  if (descriptor >= 0) close(descriptor);
  if (is_written && std::rename(temporary.c_str(), path_.c_str()) == 0) return "";
  if (is_written) error = errno;
  if (descriptor >= 0) unlink(temporary.c_str());
  if (std::exchange(has_failed_, true)) return "";
  return fmt::format("warning: {} cannot be written: {}", path_.string(), std::strerror(error));
}

}  // namespace lockstep
