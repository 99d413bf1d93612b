// SPDX-License-Identifier: Apache-2.0
#include "core/temporary_file.h"

#include <fcntl.h>

#include <cerrno>
#include <random>

namespace lockstep {

std::string temporary_name(const std::filesystem::path& path) {
  constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz012345";
  std::random_device random;
  std::string name = path.string() + '.';
  for (int i = 0; i < 10; ++i) name += kLetters[random() % 32];
  return name + ".tmp";
}

// mkostemps() gives 0600, and to learn the umask means to change it for a moment.
int create_temporary(const std::filesystem::path& path, std::string& name) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    name = temporary_name(path);
    const int descriptor = open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return -1;
}

}  // namespace lockstep
