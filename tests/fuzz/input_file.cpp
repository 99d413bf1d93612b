// SPDX-License-Identifier: Apache-2.0
#include "fuzz/input_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace lockstep::testing {

const std::string& InputFile::write(std::string_view content) const {
  const int descriptor = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool is_written =
      ::write(descriptor, content.data(), content.size()) == static_cast<ssize_t>(content.size());
  close(descriptor);
  if (!is_written) throw std::runtime_error(path_ + " cannot be written");
  return path_;
}

unsigned char take_byte(std::string_view& input) {
  if (input.empty()) return 0;
  const auto byte = static_cast<unsigned char>(input[0]);
  input.remove_prefix(1);
  return byte;
}

std::string_view take_part(std::string_view& input) {
  const std::size_t size = take_byte(input);
  const std::string_view part = input.substr(0, size);
  input.remove_prefix(part.size());
  return part;
}

}  // namespace lockstep::testing
