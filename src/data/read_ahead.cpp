// SPDX-License-Identifier: Apache-2.0
#include "data/read_ahead.h"

#include <algorithm>
#include <cstring>

namespace lockstep {

ReadAhead::ReadAhead(std::unique_ptr<ByteStream> stream)
    : stream_(std::move(stream)), thread_([this] { run(); }) {}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(mutex_);
    must_stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ReadAhead::run() {
  for (std::size_t size = kPieceBytes; size == kPieceBytes;) {
    std::vector<char> piece(kPieceBytes);
    std::exception_ptr error;
    try {
      size = stream_->read(piece.data(), piece.size());
    } catch (...) {
      error = std::current_exception();
      size = 0;
    }
    piece.resize(size);
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return must_stop_ || pieces_.size() < kPieces; });
    if (must_stop_) return;
    pieces_.push_back(std::move(piece));
    error_ = error;
    is_at_end_ = size < kPieceBytes;
    changed_.notify_all();
  }
}

// False at the end. What went wrong is told behind the bytes before it.
bool ReadAhead::take_piece() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !pieces_.empty() || is_at_end_; });
  if (pieces_.empty()) {
    if (error_) std::rethrow_exception(error_);
    return false;
  }
  piece_ = std::move(pieces_.front());
  pieces_.pop_front();
  taken_ = 0;
  changed_.notify_all();
  return true;
}

std::size_t ReadAhead::read(char* out, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    if (taken_ == piece_.size()) {
      if (!take_piece()) break;
      continue;
    }
    const std::size_t count = std::min(size - done, piece_.size() - taken_);
    std::memcpy(out + done, piece_.data() + taken_, count);
    taken_ += count;
    done += count;
  }
  return done;
}

}  // namespace lockstep
