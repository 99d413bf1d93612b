// SPDX-License-Identifier: Apache-2.0
#include "data/byte_source.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <random>

#include "loading.h"
#include "lockstep/core/error.h"

namespace lockstep::testing {
namespace {

std::string zstd(const std::string& text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 1));
  return packed;
}

std::string random_digits(std::size_t size) {
  std::mt19937 random(1);
  std::string text(size, '0');
  for (char& c : text) c = static_cast<char>('0' + random() % 10);
  return text;
}

class ByteSources : public ::testing::Test {
 protected:
  // In pieces of odd sizes.
  std::string read(const std::string& content) {
    ByteSource source(folder_.write("t", content));
    std::string text, piece(300'007, '\0');
    while (true) {
      const std::size_t count = source.read(piece.data(), piece.size());
      text.append(piece, 0, count);
      EXPECT_EQ(source.position(), text.size());
      EXPECT_TRUE(count < piece.size() || source.bytes_left() > 0 || content == text);
      if (count < piece.size()) return text;
    }
  }

  std::string failure(const std::string& content) {
    try {
      read(content);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }

  TemporaryFolder folder_;
  const std::string text_ = random_digits(12'345'678);
};

TEST_F(ByteSources, GiveWhatWasCompressed) {
  for (const std::string& text : {text_, text_.substr(0, 5), std::string(), std::string(9'000'000, 'x')}) {
    EXPECT_TRUE(read(text) == text);
    EXPECT_TRUE(read(gzip(text)) == text);
    EXPECT_TRUE(read(zstd(text)) == text);
  }
  EXPECT_TRUE(read(gzip(text_) + gzip("more")) == text_ + "more");
  EXPECT_TRUE(read(zstd(text_) + zstd("") + zstd("more")) == text_ + "more");
}

// Near the start, where the reader inflates, and behind it, where the thread does.
TEST_F(ByteSources, NameBrokenFiles) {
  for (const std::size_t size : {std::size_t{1000}, text_.size()}) {
    const std::string gzipped = gzip(text_.substr(0, size)), packed = zstd(text_.substr(0, size));
    const auto cut = [](const std::string& whole) { return whole.substr(0, whole.size() - 9); };
    EXPECT_NE(failure(cut(gzipped)).find("t: the compressed file is truncated"), std::string::npos);
    EXPECT_NE(failure(cut(packed)).find("t: the compressed file is truncated"), std::string::npos);
    EXPECT_NE(failure(packed + "rest").find("t: the compressed file is corrupted"), std::string::npos);
  }
}

TEST_F(ByteSources, CanBeLeftBeforeTheEnd) {
  for (const std::string& content : {gzip(text_), zstd(text_)}) {
    ByteSource source(folder_.write("t", content));
    std::string start(2'000'000, '\0');
    source.read_exactly(start.data(), start.size(), "the start");
    source.read_exactly(start.data(), 1, "one byte more");
    EXPECT_EQ(start[0], text_[start.size()]);
  }
}

}  // namespace
}  // namespace lockstep::testing
