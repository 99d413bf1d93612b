// SPDX-License-Identifier: Apache-2.0
// A LIBSVM file the way LIBLINEAR's programs read it, in words of our own: one pass that counts what memory
// is needed, one that splits every line into tokens and calls strtol and strtod for each. Prints seconds and
// rows.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

struct Entry {
  int index;
  double value;
};

struct Size {
  std::size_t rows = 0;
  std::size_t entries = 0;
};

Size count(std::FILE* file, char** line, std::size_t* room) {
  Size size;
  while (getline(line, room, file) > 0) {
    std::strtok(*line, " \t\n");
    while (std::strtok(nullptr, " \t\n") != nullptr) ++size.entries;
    ++size.rows;
  }
  std::rewind(file);
  return size;
}

bool read_row(char* line, std::vector<double>& labels, std::vector<Entry>& entries) {
  char* rest = nullptr;
  const char* const label = std::strtok(line, " \t\n");
  if (label == nullptr) return false;
  labels.push_back(std::strtod(label, &rest));
  while (true) {
    const char* const index = std::strtok(nullptr, ":");
    const char* const value = std::strtok(nullptr, " \t\n");
    if (value == nullptr) return true;
    const auto column = static_cast<int>(std::strtol(index, &rest, 10));
    entries.push_back({column, std::strtod(value, &rest)});
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::FILE* const file = argc == 2 ? std::fopen(argv[1], "r") : nullptr;
  if (file == nullptr) return 1;
  const auto start = std::chrono::steady_clock::now();
  char* line = nullptr;
  std::size_t room = 0;
  const Size size = count(file, &line, &room);
  std::vector<double> labels;
  std::vector<Entry> entries;
  std::vector<std::size_t> rows;
  labels.reserve(size.rows);
  rows.reserve(size.rows);
  entries.reserve(size.entries);
  while (getline(&line, &room, file) > 0 && read_row(line, labels, entries)) rows.push_back(entries.size());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%.6f %zu\n", took.count(), rows.size());
  std::free(line);
  std::fclose(file);
}
