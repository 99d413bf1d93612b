// SPDX-License-Identifier: Apache-2.0
#include "core/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// errno is that of the call.
FileLock ask(int descriptor, int kind, const std::filesystem::path& path) {
  int result = 0;
  do result = flock(descriptor, kind | LOCK_NB);
  while (result != 0 && errno == EINTR);
  if (result == 0) return FileLock::kTaken;
  const int error = errno;
  if (error == EWOULDBLOCK) return FileLock::kBusy;
  if (error == ENOSYS || error == ENOLCK || error == EOPNOTSUPP) return FileLock::kMissing;
  throw Error(ExitCode::kOutput, path.string() + ": cannot be locked: " + std::strerror(error));
}

}  // namespace

FileLock try_lock(int descriptor, const std::filesystem::path& path) {
  return ask(descriptor, LOCK_EX, path);
}

FileLock probe_lock(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return FileLock::kTaken;
  try {
    const FileLock found = ask(descriptor, LOCK_SH, path);
    close(descriptor);
    return found;
  } catch (...) {
    close(descriptor);
    throw;
  }
}

std::string missing_lock_text(const std::filesystem::path& path, const std::string& consequence) {
  return path.string() + ": its file system has no locks (flock), so " + consequence;
}

}  // namespace lockstep
