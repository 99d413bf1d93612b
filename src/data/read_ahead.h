// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "data/byte_stream.h"

namespace lockstep {

/// Reads a stream on a thread of its own, at most kPieces pieces ahead of who takes them.
class ReadAhead final : public ByteStream {
 public:
  static constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
  static constexpr std::size_t kPieces = 4;

  explicit ReadAhead(std::unique_ptr<ByteStream> stream);
  ~ReadAhead() override;
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  std::size_t read(char* out, std::size_t size) override;

 private:
  void run();
  bool take_piece();

  std::unique_ptr<ByteStream> stream_;
  std::vector<char> piece_;  // being taken
  std::size_t taken_ = 0;    // of it

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<std::vector<char>> pieces_;
  std::exception_ptr error_;
  bool is_at_end_ = false;
  bool must_stop_ = false;

  std::thread thread_;
};

}  // namespace lockstep
