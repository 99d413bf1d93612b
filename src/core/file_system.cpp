// SPDX-License-Identifier: Apache-2.0
#include "core/file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace lockstep {

namespace {

class MachineFiles final : public FileSystem {
 public:
  int create(const std::string& path) override {
    return open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
  }
  ssize_t write(int descriptor, const void* data, std::size_t size) override {
    return ::write(descriptor, data, size);
  }
  int set_direct(int descriptor, bool is_direct) override {
    const int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0) return -1;
    return fcntl(descriptor, F_SETFL, is_direct ? flags | O_DIRECT : flags & ~O_DIRECT);
  }
  int rewind(int descriptor) override { return lseek(descriptor, 0, SEEK_SET) == 0 ? 0 : -1; }
  int sync(int descriptor) override { return fsync(descriptor); }
  int close(int descriptor) override { return ::close(descriptor); }
  int rename(const std::string& from, const std::string& to) override {
    return std::rename(from.c_str(), to.c_str());
  }
  int remove_file(const std::string& path) override { return unlink(path.c_str()); }
  int make_folder(const std::string& path) override { return mkdir(path.c_str(), 0777); }
  int remove_folder(const std::string& path) override { return rmdir(path.c_str()); }
  int sync_folder(const std::string& path) override {
    const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    const int result = fsync(descriptor), reason = errno;
    ::close(descriptor);
    errno = reason;
    return result;
  }
};

}  // namespace

FileSystem& machine_files() {
  static MachineFiles files;
  return files;
}

}  // namespace lockstep
