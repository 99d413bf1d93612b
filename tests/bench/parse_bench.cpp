// SPDX-License-Identifier: Apache-2.0
// How fast text becomes rows on one core, and on two that take turns as ranks of an import do: MB/s from a
// file in the page cache to RowBlocks, for LIBSVM (40 entries a row of 2^20 columns) and CSV (28 floats a
// row). The bound beside it only counts the lines of the same file. Verified before it is timed: ten million
// random numbers are those of std::from_chars, and a file's rows hold the numbers it was made of.
// Interleaved, medians. Files are written to the folder given, else to /tmp. For other readers: "--write
// FOLDER" writes them and keeps them, "--read FORMAT FILE" prints seconds and rows.
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "data/block_parser.h"
#include "data/data_options.h"
#include "data/import_pieces.h"
#include "data/numbers.h"
#include "data/registry.h"
#include "data/text_reader.h"
#include "report/statistics.h"

namespace lockstep {
namespace {

constexpr int kRounds = 9;
constexpr std::size_t kFileBytes = std::size_t{128} << 20;

/// A file of random rows, and the sum of its values as they were written.
struct File {
  std::string format;
  std::string path;
  double sum = 0;
  std::size_t size = 0;
  Index rows = 0;  ///< parsed
};

class Writer {
 public:
  explicit Writer(File& file) : file_(file), out_(file.path, std::ios::binary) {}
  void add(char c) { buffer_ += c; }
  template <class Value>
  void add(Value value) {
    std::array<char, 32> text{};
    buffer_.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
  }
  void add_value(float value) {
    file_.sum += static_cast<double>(value);
    add(value);
  }
  bool end_row() {
    add('\n');
    file_.size += buffer_.size();
    out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    buffer_.clear();
    return file_.size < kFileBytes;
  }

 private:
  File& file_;
  std::ofstream out_;
  std::string buffer_;
};

float random_value(std::mt19937_64& random) {
  return std::normal_distribution<float>()(random);
}

void write_libsvm(File& file) {
  std::mt19937_64 random(1);
  Writer writer(file);
  do {
    writer.add(static_cast<int>(random() % 2));
    std::uint64_t column = 0;
    for (int i = 0; i < 40; ++i) {
      column += 1 + random() % 50000;
      writer.add(' ');
      writer.add(column);
      writer.add(':');
      writer.add_value(random_value(random));
    }
  } while (writer.end_row());
}

void write_csv(File& file) {
  std::mt19937_64 random(2);
  Writer writer(file);
  do {
    for (int i = 0; i < 28; ++i) {
      writer.add_value(random_value(random));
      writer.add(',');
    }
    writer.add(static_cast<int>(random() % 2));
  } while (writer.end_row());
}

Options default_options() {
  OptionTable table;
  declare_data_options(table);
  return Options(table);
}

double sum_of(const RowBlock& block) {
  double sum = 0;
  for (const float value : block.dense) sum += static_cast<double>(value);
  for (const float value : block.values) sum += static_cast<double>(value);
  return sum;
}

/// Seconds to parse the whole file; `sum` null: do not look at the rows.
double parse(File& file, double* sum) {
  const double start = now_seconds();
  const auto parser = format_registry().find(file.format).create(default_options())->parser(file.path, -1);
  TextReader reader(file.path);
  RowBlock block;
  while (reader.next_piece()) {
    parser->parse(reader.piece(), block);
    file.rows += block.rows();
    if (sum != nullptr) *sum += sum_of(block);
  }
  return now_seconds() - start;
}

/// Seconds in which `readers` parse the whole file, each every so many-th piece of it; or, where they do not
/// share, each all of it by itself, which is what the machine can do.
double parse_together(const File& file, int readers, bool share = true) {
  const double start = now_seconds();
  std::vector<std::thread> threads;
  for (int reader = 0; reader < readers; ++reader)
    threads.emplace_back([&file, reader, readers, share] {
      const auto parser =
          format_registry().find(file.format).create(default_options())->parser(file.path, -1);
      ImportPieces pieces({{file.path, parser->first_byte()}});
      ImportPieces::Piece piece;
      RowBlock block;
      for (int turn = 0; pieces.next(!share || turn == reader, piece); turn = (turn + 1) % readers)
        if (!share || turn == reader) parser->parse(piece.text, block);
    });
  for (std::thread& thread : threads) thread.join();
  return now_seconds() - start;
}

double count_lines(const File& file) {
  const double start = now_seconds();
  TextReader reader(file.path);
  while (reader.next_piece()) continue;
  return now_seconds() - start;
}

bool verify_numbers() {
  std::mt19937_64 random(3);
  std::array<char, 96> text{};
  for (int i = 0; i < 10'000'000; ++i) {
    text.fill('\n');
    char* const begin = text.data();
    const auto value = std::bit_cast<double>(random());
    const auto narrow = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    char* end = i % 3 == 0   ? std::to_chars(begin, begin + 64, narrow).ptr
                : i % 3 == 1 ? std::to_chars(begin, begin + 64, std::ldexp(random(), -(i % 120))).ptr
                             : std::to_chars(begin, begin + 64, value).ptr;
    float expected = 0, found = 0;
    const auto result = std::from_chars(begin, end, expected);
    if (result.ec != std::errc{} || !std::isfinite(expected)) continue;
    if (read_fast(begin, end, found) == result.ptr && found == expected) continue;
    std::printf("%.*s was read as %.9g\n", static_cast<int>(end - begin), begin, static_cast<double>(found));
    return false;
  }
  return true;
}

bool bench(File& file) {
  double sum = 0;
  parse(file, &sum);
  if (std::abs(sum - file.sum) > 1e-9 * (1 + std::abs(file.sum))) {
    std::printf("%s: the values sum up to %.17g instead of %.17g\n", file.format.c_str(), sum, file.sum);
    return false;
  }
  std::vector<double> parsing, counting, alone, together, apart;
  for (int round = 0; round < kRounds; ++round) {
    parsing.push_back(parse(file, nullptr));
    counting.push_back(count_lines(file));
    alone.push_back(parse_together(file, 1));
    together.push_back(parse_together(file, 2));
    apart.push_back(parse_together(file, 2, false));
  }
  const double megabytes = static_cast<double>(file.size) / 1e6;
  std::printf("%-8s %7.0f MB/s  (reading alone %7.0f MB/s)\n", file.format.c_str(),
              megabytes / median(parsing), megabytes / median(counting));
  std::printf(
      "         in pieces %5.0f MB/s, by two %5.0f MB/s: %.2f; two that have nothing to do with each other: "
      "%.2f\n",
      megabytes / median(alone), megabytes / median(together), median(alone) / median(together),
      2 * median(alone) / median(apart));
  return true;
}

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) {
  using namespace lockstep;
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 3 && words[0] == "--read") {
    File file{words[1], words[2]};
    const double seconds = parse(file, nullptr);
    std::printf("%.6f %td\n", seconds, file.rows);
    return 0;
  }
  const bool only_writes = words.size() == 2 && words[0] == "--write";
  const std::string folder = words.empty() ? "/tmp" : words.back();
  File libsvm{"libsvm", folder + "/parse_bench.svm"}, csv{"csv", folder + "/parse_bench.csv"};
  write_libsvm(libsvm);
  write_csv(csv);
  if (only_writes) return 0;
  const bool is_right = verify_numbers() && bench(libsvm) && bench(csv);
  for (const File& file : {libsvm, csv}) std::filesystem::remove(file.path);
  return is_right ? 0 : 1;
}
