// SPDX-License-Identifier: Apache-2.0
#include "data/libffm.h"

#include <algorithm>

#include "data/libsvm_parser.h"
#include "data/read_blocks.h"

namespace lockstep {

namespace {

bool is_count(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

LibffmFormat::LibffmFormat(const Options& options)
    : hash_(options), skips_bad_rows_(options.text("data.on_bad_row") == "skip") {}

bool LibffmFormat::matches(std::string_view, std::string_view head) {
  while (!head.empty()) {
    const auto end = head.find('\n');
    std::string_view line = LibsvmParser::without_comment(head.substr(0, end));
    head = end == std::string_view::npos ? std::string_view() : head.substr(end + 1);
    LibsvmParser::next_word(line);
    const std::string_view entry = LibsvmParser::next_word(line);
    if (entry.empty()) continue;
    const auto first = entry.find(':'), second = entry.find(':', first + 1);
    return first != std::string_view::npos && second != std::string_view::npos &&
           is_count(entry.substr(0, first)) && is_count(entry.substr(first + 1, second - first - 1)) &&
           std::count(entry.begin(), entry.end(), ':') == 2;
  }
  return false;
}

void LibffmFormat::read(const std::string& source, RowSink& sink) const {
  read_blocks(source, *parser(source, sink.unlabelled_features()), sink);
}

std::unique_ptr<BlockParser> LibffmFormat::parser(const std::string& source,
                                                  Index unlabelled_features) const {
  return std::make_unique<LibsvmParser>(
      source, LibsvmParser::Settings{hash_, skips_bad_rows_, true, unlabelled_features >= 0});
}

}  // namespace lockstep
