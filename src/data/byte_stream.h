// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace lockstep {

/// The inflated bytes of a file, front to back. Failures are an Error(kData) that names the file.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// Reads up to `size` bytes; fewer only at the end.
  virtual std::size_t read(char* out, std::size_t size) = 0;
};

/// A stream, and how many bytes it can hold at most.
struct OpenedStream {
  std::unique_ptr<ByteStream> stream;
  std::size_t most_bytes = 0;
  bool is_compressed = false;
};

/// By how the file starts, whatever its name: gzip, Zstandard, anything else as it is.
OpenedStream open_stream(const std::string& path);

}  // namespace lockstep
