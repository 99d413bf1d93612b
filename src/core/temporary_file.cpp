// SPDX-License-Identifier: Apache-2.0
#include "core/temporary_file.h"

#include <fcntl.h>
#include <sys/random.h>

#include <array>
#include <cerrno>

namespace lockstep {

// mkostemps() gives 0600, and to learn the umask means to change it for a moment.
int create_temporary(const std::filesystem::path& path, std::string& name) {
  constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz012345";
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::array<unsigned char, 10> random{};
    if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) return -1;
    name = path.string() + '.';
    for (const unsigned char byte : random) name += kLetters[byte % 32];
    name += ".tmp";
    const int descriptor = open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 || errno != EEXIST) return descriptor;
  }
  return -1;
}

}  // namespace lockstep
