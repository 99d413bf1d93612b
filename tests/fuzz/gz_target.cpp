// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <stdexcept>

#include "data/byte_source.h"
#include "data/import_pieces.h"
#include "data/text_reader.h"
#include "fuzz/input_file.h"
#include "fuzz/targets.h"

namespace lockstep::testing {

namespace {

constexpr std::size_t kMost = std::size_t{1} << 18;

void expect(bool is_good, const char* law) {
  if (!is_good) throw std::logic_error(law);
}

// Up to kMost bytes.
std::string read_bytes(const std::string& path) {
  ByteSource source(path);
  std::array<char, 4099> piece{};
  std::string text;
  while (text.size() < kMost) {
    const std::size_t left = source.bytes_left();
    const std::size_t count = source.read(piece.data(), piece.size());
    expect(count <= left, "no more bytes come than can be left");
    text.append(piece.data(), count);
    if (count < piece.size()) break;
  }
  return text;
}

std::string read_pieces(const std::string& path) {
  std::string text;
  ImportPieces pieces({{path, 0}}, 300);
  for (ImportPieces::Piece piece; pieces.next(true, piece);) text += piece.text;
  return text;
}

std::string read_lines(const std::string& path) {
  std::string text;
  for (TextReader reader(path); reader.next();) text += std::string(reader.line()) + '\n';
  return text;
}

}  // namespace

// A file that may be compressed.
bool fuzz_gz(std::string_view input) {
  static const InputFile file("bytes");
  return is_accepted([&] {
    file.write(input);
    const std::string text = read_bytes(file.path());
    if (text.size() >= kMost) return;
    expect(read_pieces(file.path()) == text, "pieces are the whole text");
    const std::string lines = read_lines(file.path());
    expect(lines.size() <= text.size() + 1, "lines are of the text");
  });
}

}  // namespace lockstep::testing
