// SPDX-License-Identifier: Apache-2.0
#include "data/block_parser.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>

#include "data/numbers.h"
#include "loading.h"

namespace lockstep::testing {
namespace {

template <class Float>
std::string difference_from_chars(const std::string& text) {
  const std::string padded = text + "\n" + std::string(kDecimalPadding, '7');
  const char* const begin = padded.data();
  const char* const end = begin + text.size();
  Float expected = 0, fast = 0, safe = 0;
  const auto result = std::from_chars(begin + (text[0] == '+' ? 1 : 0), end, expected);
  if (result.ec == std::errc::result_out_of_range) return "";
  const char* const fast_rest = read_fast(begin, end, fast);
  const char* const safe_rest = read_number(begin, end, safe);
  const bool is_same = fast_rest == result.ptr && safe_rest == result.ptr && fast == expected &&
                       safe == expected && std::signbit(fast) == std::signbit(expected);
  if (is_same) return "";
  std::ostringstream out;
  out.precision(20);
  out << text << ": " << fast << " and " << safe << " instead of " << expected;
  return out.str();
}

std::string difference(const std::string& text) {
  return difference_from_chars<float>(text) + difference_from_chars<double>(text);
}

// Exact decimal text of a float, and of the middle to the next float above it, which has one digit more.
std::string exact_text(double value) {
  std::array<char, 1200> text{};
  const auto result =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific, 160);
  return {text.data(), result.ptr};
}

TEST(Decimal, HardNumbersAreThoseOfFromChars) {
  for (const char* text : {"0",
                           "-0",
                           "0.0",
                           "-0.0e5",
                           "00012",
                           "000000000000000000000001.5",
                           "0.00000000000000000000000000001",
                           "+1",
                           "+.5",
                           "1.",
                           "-.25e1",
                           "1e0",
                           "1E5",
                           "1e+5",
                           "1e-05",
                           "16777217",
                           "16777219",
                           "33554435",
                           "9007199254740993",
                           "9007199791611905",
                           "1.00000005960464477539",
                           "1.000000059604644775390625",
                           "1.0000000596046447753906251",
                           "1.0000000596046447753906249",
                           "3.4028235e38",
                           "3.40282346638528859e38",
                           "340282356779733642999999999999999999999",
                           "1.17549435e-38",
                           "1.1754942e-38",
                           "1.4e-45",
                           "2.2e-44",
                           "9223372036854775807",
                           "9223372036854775808",
                           "9999999999999999999",
                           "99999999999999999999",
                           "12345678901234567890123",
                           "0.1000000000000000055511151231257827",
                           "1.234500000000000042e-01",
                           "1e19",
                           "1e20",
                           "1e-37",
                           "1e-38",
                           "9.99999999999999999e-37",
                           "1e22",
                           "1e23",
                           "4.35",
                           "0.3",
                           "2.5e-1",
                           "123456789.123456789",
                           "8.5e0001",
                           "7e-00003"})
    EXPECT_EQ(difference(text), "");
}

TEST(Decimal, MiddlesBetweenFloats) {
  std::mt19937 random(3);
  for (int i = 0; i < 20000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random() % 0x7F000000);
    const auto low = static_cast<double>(std::bit_cast<float>(bits));
    const auto high = static_cast<double>(std::bit_cast<float>(bits + 1));
    const std::string middle = exact_text((low + high) / 2);
    ASSERT_EQ(difference(middle), "");
    for (const std::size_t digits : {17, 18, 19, 20}) {
      const std::string cut = middle.substr(0, digits + 1) + middle.substr(middle.find('e'));
      ASSERT_EQ(difference(cut), "");
      ASSERT_EQ(difference("-" + cut), "");
    }
  }
}

TEST(Decimal, RandomText) {
  std::mt19937 random(4);
  for (int i = 0; i < 200000; ++i) {
    std::string text = random() % 2 != 0 ? "-" : "";
    text += std::to_string(random() >> random() % 32);
    if (random() % 4 != 0) text += "." + std::string(random() % 4, '0') + std::to_string(random());
    if (random() % 4 == 0) text += std::to_string(random());
    if (random() % 4 == 0) text += "e" + std::to_string(static_cast<int>(random() % 90) - 45);
    ASSERT_EQ(difference(text), "");
  }
}

// Every text of up to six of these characters behind each of the starts, before a blank.
template <class Check>
void for_short_texts(const Check& check) {
  const std::string characters = "-.07:e ";
  for (const std::string start : {"", "-", "0.123456789", "123456789", "1234:", "4294967295:-0.0001234"})
    for (int i = 0; i < 7 * 7 * 7 * 7 * 7; ++i) {
      std::string text = start;
      for (int rest = i; rest > 0; rest /= 7) text += characters[static_cast<std::size_t>(rest % 7)];
      check(text + " " + std::string(kDecimalPadding, '7'));
    }
}

std::string show(const Decimal& decimal, const std::string& text) {
  if (decimal.rest == nullptr) return "none";
  return (decimal.is_negative ? "-" : "") + std::to_string(decimal.digits) + "e" +
         std::to_string(decimal.exponent) + " to " + std::to_string(decimal.rest - text.data());
}

// Law: what the scan without branches takes is what the other one finds.
TEST(Decimal, ShortNumbersAreThoseOfTheLongScan) {
  int taken = 0;
  for_short_texts([&](const std::string& text) {
    Decimal decimal;
    if (!scan_short(text.data(), decimal)) return;
    ++taken;
    ASSERT_EQ(show(decimal, text), show(scan_decimal(text.data()), text)) << text;
  });
#ifdef __AVX2__
  EXPECT_GT(taken, 10'000);
#endif
}

TEST(Decimal, ShortEntriesAreThoseOfTheLongScan) {
  int taken = 0;
  for_short_texts([&](const std::string& text) {
    ShortEntry entry;
    if (!scan_short(text.data(), entry)) return;
    ++taken;
    std::uint64_t index = 0;
    const char* const colon = take_digits(text.data(), index);
    ASSERT_TRUE(*colon == ':' && colon > text.data()) << text;
    ASSERT_EQ(entry.index, index) << text;
    ASSERT_EQ(show(entry.value, text), show(scan_decimal(colon + 1), text)) << text;
  });
#ifdef __AVX2__
  EXPECT_GT(taken, 5'000);
#endif
}

TEST(Decimal, WhatIsNoNumber) {
  for (const char* text : {"", "-", "+", ".", "-.", "e5", "+-1", "--1", "x", ":", " 1", "nan", "-inf"}) {
    const std::string padded = text + ("\n" + std::string(kDecimalPadding, '7'));
    float value = 0;
    EXPECT_EQ(read_fast(padded.data(), padded.data() + padded.size() - kDecimalPadding, value), nullptr)
        << text;
  }
}

class Blocks {
 public:
  Blocks(const std::string& format, const std::string& text, Settings settings = {})
      : parser_(format_registry()
                    .find(format)
                    .create(make_options(settings))
                    ->parser(folder_.write("t.txt", text), -1)),
        rows_(text.substr(static_cast<std::size_t>(parser_->first_byte()))) {}

  /// The text behind header and byte order mark.
  const std::string& rows() const { return rows_; }
  BlockParser& parser() { return *parser_; }
  RowBlock parse(std::string_view text) {
    RowBlock block;
    parser_->parse(text, block);
    return block;
  }

  /// Everything a block says of its rows, as text; `lines` are those before it.
  std::string show(const RowBlock& block, Index lines = 0) {
    std::ostringstream out;
    const auto width = static_cast<std::size_t>(parser_->schema().features);
    for (std::size_t i = 0; i < block.lines.size(); ++i) {
      out << lines + block.lines[i] << ": " << block.label_columns[i] << " ";
      const std::int32_t code = block.label_texts.empty() ? -1 : block.label_texts[i];
      if (code >= 0)
        out << parser_->dictionary(-1)[static_cast<std::size_t>(code)];
      else
        out << block.labels[i];
      if (!block.weights.empty()) out << " w" << block.weights[i];
      for (std::size_t j = 0; j < width; ++j) out << " " << block.dense[i * width + j];
      if (width == 0)
        for (auto e = static_cast<std::size_t>(block.offsets[i]);
             e < static_cast<std::size_t>(block.offsets[i + 1]); ++e)
          out << " " << block.columns[e] << ":" << block.values[e];
      out << "\n";
    }
    return out.str();
  }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<BlockParser> parser_;
  std::string rows_;
};

const char* const kCsv =
    "\xEF\xBB\xBF"
    "\n a,w,b,label\n1,1,2,x\n\n 3 ,2,-4e0,\"y \"\"z\"\"\"\r\n5.5,0.5,6,7\n   \n+7,1,1e-40,x\r\n8,1,9,x";
const char* const kLibsvm =
    "+1 1:1.5  2:-2 \n# nothing\n\n-1\r\nword 3:1e-40 2147483648:7 # 9:9\r\n2.5\t0:+1\t4:5\n \n0 "
    "7:123456789012";

// Law: however whole lines are dealt out, the rows are the same.
TEST(BlockParser, PiecesGiveTheRowsOfTheWhole) {
  for (const auto& [format, text] : {std::pair("csv", kCsv), std::pair("libsvm", kLibsvm)}) {
    Blocks blocks(format, text, {{"data.weight", "w"}});
    const std::string whole = blocks.show(blocks.parse(blocks.rows()));
    EXPECT_EQ(std::count(whole.begin(), whole.end(), '\n'), 5) << whole;
    RowBlock piece;
    std::string pieces;
    Index lines = 0;
    for (std::string_view rest = blocks.rows(); !rest.empty(); lines += piece.line_count) {
      const auto size = std::min(rest.find('\n'), rest.size() - 1) + 1;
      blocks.parser().parse(rest.substr(0, size), piece);
      rest.remove_prefix(size);
      pieces += blocks.show(piece, lines);
    }
    EXPECT_EQ(pieces, whole);
  }
}

// Law: what reads usual rows fast and what reads any row agree. A NUL byte in a piece leaves it to the
// latter.
TEST(BlockParser, FastRowsAreCarefulRows) {
  std::mt19937 random(5);
  for (const std::string format : {"csv", "libsvm"}) {
    std::string text = format == "csv" ? "a,label,b\n" : "";
    for (int i = 0; i < 3000; ++i) {
      const auto number = [&] {
        return std::to_string(random() % 2000) + "." + std::to_string(random() >> random() % 32);
      };
      const std::string label =
          random() % 3 == 0 ? "word" + std::to_string(random() % 5) : std::to_string(random() % 9);
      if (format == "csv")
        text += number() + "," + label + ",-" + number() + (i % 7 == 0 ? "\r\n" : "\n");
      else
        text += label + " " + std::to_string(random() % 90) + ":" + number() + " " +
                std::to_string(100 + random() % 2000000000) + ":1\n";
    }
    Blocks blocks(format, text);
    const RowBlock fast = blocks.parse(blocks.rows());
    const RowBlock careful = blocks.parse(blocks.rows() + std::string("\0\n", 2));
    EXPECT_EQ(fast.rows(), 3000);
    EXPECT_EQ(blocks.show(fast), blocks.show(careful));
    ASSERT_EQ(careful.bad_lines.size(), 1U);
    EXPECT_EQ(careful.bad_lines[0].line, 3001);
    EXPECT_EQ(careful.bad_lines[0].what, "a NUL byte, text was expected");
  }
}

TEST(BlockParser, StopsAtABadLineAndKeepsTheRowsBefore) {
  Blocks blocks("csv", "x,y\n1,0\n2,1\n");
  EXPECT_EQ(blocks.parser().first_line(), 2);
  EXPECT_EQ(blocks.parser().first_byte(), 4);
  const RowBlock block = blocks.parse("1,0\n\n2,1\n3,x,\n4,1\n");
  EXPECT_EQ(block.rows(), 2);
  EXPECT_EQ(block.dense, (std::vector<float>{1, 2}));
  ASSERT_EQ(block.bad_lines.size(), 1U);
  EXPECT_EQ(block.bad_lines[0].line, 4);
  EXPECT_EQ(block.bad_count, 1);
  EXPECT_EQ(blocks.parse("").rows(), 0);
}

TEST(BlockParser, BinarySourcesHaveNone) {
  EXPECT_EQ(format_registry().find("demo").create(make_options({}))->parser("demo:blobs", -1), nullptr);
}

}  // namespace
}  // namespace lockstep::testing
