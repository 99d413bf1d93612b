// SPDX-License-Identifier: Apache-2.0
#include "comm/posix_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <random>

namespace lockstep {

namespace {

// "" and an open segment, or why there is none.
struct Segment {
  int descriptor = -1;
  std::string trouble;
};

using Name = std::array<char, 64>;

Name random_name() {
  std::random_device random;
  Name name{};
  std::snprintf(name.data(), name.size(), "/lockstep-%08x%08x", random(), random());
  return name;
}

Segment create(const Name& name, std::size_t size) {
  Segment segment;
  segment.descriptor = shm_open(name.data(), O_CREAT | O_EXCL | O_RDWR, 0600);
  if (segment.descriptor < 0) return {-1, std::string("shm_open: ") + std::strerror(errno)};
  if (ftruncate(segment.descriptor, static_cast<off_t>(size)) != 0)
    segment.trouble = std::string("ftruncate: ") + std::strerror(errno);
  return segment;
}

Segment open_existing(const Name& name) {
  const int descriptor = shm_open(name.data(), O_RDWR, 0600);
  return {descriptor, descriptor < 0 ? std::string("shm_open: ") + std::strerror(errno) : ""};
}

// Pages that are there already stay where they are.
std::string reserve(int descriptor, ByteRange range, std::size_t size) {
  if (range.begin >= range.end) return "";
  const int error = posix_fallocate(descriptor, static_cast<off_t>(range.begin),
                                    static_cast<off_t>(range.end - range.begin));
  return error == 0 ? "" : std::to_string(size >> 20) + " MiB in /dev/shm: " + std::strerror(error);
}

// Collective. Whether all ranks got this far; else the first trouble.
bool all_succeeded(Communicator& communicator, const std::string& trouble, std::string& why_not) {
  for (const std::string& text : all_gather(communicator, trouble))
    if (!text.empty()) {
      why_not = text;
      return false;
    }
  return true;
}

bool is_one_node(Communicator& communicator) {
  int last = communicator.node();
  std::vector<int> nodes(static_cast<std::size_t>(communicator.size()));
  all_gather(communicator, &last, sizeof last, nodes.data());
  return nodes.back() == nodes.front();
}

}  // namespace

std::shared_ptr<std::byte> share_posix_memory(Communicator& group, std::size_t size,
                                              std::span<const ByteRange> mine, std::string& why_not) {
  if (!is_one_node(group)) {
    why_not = "the ranks are on several nodes";
    return nullptr;
  }
  const bool is_first = group.rank() == 0;
  Name name{};
  Segment segment;
  if (is_first) {
    name = random_name();
    segment = create(name, size);
  }
  broadcast(group, name.data(), name.size());
  bool succeeded = all_succeeded(group, segment.trouble, why_not);
  if (succeeded && !is_first) segment = open_existing(name);
  if (succeeded && segment.trouble.empty())
    for (const ByteRange& range : mine)
      if (segment.trouble.empty()) segment.trouble = reserve(segment.descriptor, range, size);
  if (succeeded) succeeded = all_succeeded(group, segment.trouble, why_not);
  if (is_first) shm_unlink(name.data());
  if (succeeded && is_first) segment.trouble = reserve(segment.descriptor, {0, size}, size);
  void* memory = MAP_FAILED;
  if (succeeded && segment.trouble.empty()) {
    memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, segment.descriptor, 0);
    if (memory == MAP_FAILED) segment.trouble = std::string("mmap: ") + std::strerror(errno);
  }
  if (segment.descriptor >= 0) close(segment.descriptor);
  if (succeeded) succeeded = all_succeeded(group, segment.trouble, why_not);
  if (memory == MAP_FAILED) return nullptr;
  std::shared_ptr<std::byte> shared(static_cast<std::byte*>(memory),
                                    [size](std::byte* data) { munmap(data, size); });
  return succeeded ? shared : nullptr;
}

}  // namespace lockstep
