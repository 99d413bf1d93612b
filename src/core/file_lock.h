// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace lockstep {

/// What became of a lock that was asked for.
enum class FileLock {
  kTaken,
  kBusy,    ///< another process holds it
  kMissing  ///< this file system has no locks: Lustre without `-o flock`, NFS without its lock service
};

/// Asks for the exclusive lock (flock) of an open file, without waiting. It is held until the descriptor is
/// closed. `path` is for the message. Throws Error(kOutput) where the file system cannot tell.
FileLock try_lock(int descriptor, const std::filesystem::path& path);

/// Whether somebody holds the lock of this file, as try_lock() tells it; nothing is held afterwards. Nobody
/// does where there is no such file.
FileLock probe_lock(const std::filesystem::path& path);

/// For the user, once, where locks are missing; `consequence` says what is not noticed.
std::string missing_lock_text(const std::filesystem::path& path, const std::string& consequence);

}  // namespace lockstep
