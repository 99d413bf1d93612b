// SPDX-License-Identifier: Apache-2.0
#include "fuzz/input_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace lockstep::testing {

namespace {

int create(const std::string& path) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) throw std::runtime_error(path + " cannot be made");
  return descriptor;
}

}  // namespace

InputFile::InputFile(const std::string& name)
    : own_(std::make_unique<TemporaryFolder>()),
      folder_(own_->path()),
      path_((folder_ / name).string()),
      descriptor_(create(path_)) {}

InputFile::InputFile(const std::string& name, const InputFile& beside)
    : folder_(beside.folder_), path_((folder_ / name).string()), descriptor_(create(path_)) {}

InputFile::~InputFile() {
  close(descriptor_);
}

const std::string& InputFile::write(std::string_view content) const {
  const auto size = static_cast<ssize_t>(content.size());
  const bool is_written =
      pwrite(descriptor_, content.data(), content.size(), 0) == size && ftruncate(descriptor_, size) == 0;
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
