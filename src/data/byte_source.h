// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "data/byte_stream.h"

namespace lockstep {

/// The bytes of a file, inflated if the file starts like gzip or Zstandard, whatever its name. Large
/// compressed files are inflated by a thread, ahead of the reader. Every failure is an Error(kData) that
/// names the file.
class ByteSource {
 public:
  explicit ByteSource(std::string path);
  /// Bytes that lie in a file of another kind: at most `size` of them. `name` stands in messages.
  ByteSource(std::string name, std::unique_ptr<ByteStream> stream, std::size_t size, bool is_compressed);

  const std::string& path() const { return path_; }

  /// Whether the file is inflated: what its header announces may then be far more than there is.
  bool is_compressed() const { return is_compressed_; }

  /// Reads up to `size` bytes; fewer only at the end.
  std::size_t read(void* out, std::size_t size);
  /// Reads exactly `size` bytes of `what` or says that the file is truncated.
  void read_exactly(void* out, std::size_t size, const char* what);
  /// The same into `out`, which gets `size` bytes and grows while they come: a compressed file may announce
  /// far more than it holds.
  void read_exactly(std::vector<unsigned char>& out, std::size_t size, const char* what);
  /// Bytes read so far, after inflation.
  std::size_t position() const { return position_; }

  /// The most bytes that can follow: the rest of the file, or what it could inflate to. What a header
  /// announces is checked against it before memory is asked for.
  std::size_t bytes_left() const { return position_ < size_limit_ ? size_limit_ - position_ : 0; }

 private:
  std::string path_;
  std::unique_ptr<ByteStream> stream_;
  bool is_compressed_ = false;
  bool may_read_ahead_ = false;
  std::size_t position_ = 0;
  std::size_t size_limit_ = 0;
};

}  // namespace lockstep
