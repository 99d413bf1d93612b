// SPDX-License-Identifier: Apache-2.0
#include "data/libsvm.h"

#include <algorithm>

#include "data/libsvm_parser.h"
#include "data/read_blocks.h"

namespace lockstep {

namespace {

bool is_count(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Takes the next line off the front of `head`; returns the second word of it.
std::string_view first_entry(std::string_view& head) {
  const auto end = head.find('\n');
  std::string_view line = LibsvmParser::without_comment(head.substr(0, end));
  head = end == std::string_view::npos ? std::string_view() : head.substr(end + 1);
  LibsvmParser::next_word(line);
  return LibsvmParser::next_word(line);
}

}  // namespace

LibsvmFormat::LibsvmFormat(const Options& options, bool has_fields)
    : hash_(options),
      label_weights_(options.text("data.label_weights")),
      skips_bad_rows_(options.text("data.on_bad_row") == "skip"),
      has_fields_(has_fields) {}

bool LibsvmFormat::matches(std::string_view, std::string_view head) {
  while (!head.empty()) {
    const std::string_view entry = first_entry(head);
    const auto colon = entry.find(':');
    if (colon == std::string_view::npos || colon == 0) continue;
    const std::string_view index = entry.substr(0, colon);
    if (index == "qid" || index.find_first_not_of("+-0123456789") == std::string_view::npos) return true;
  }
  return false;
}

bool LibsvmFormat::matches_fields(std::string_view, std::string_view head) {
  while (!head.empty()) {
    const std::string_view entry = first_entry(head);
    if (entry.empty()) continue;
    const auto first = entry.find(':'), second = entry.find(':', first + 1);
    return first != std::string_view::npos && second != std::string_view::npos &&
           is_count(entry.substr(0, first)) && is_count(entry.substr(first + 1, second - first - 1)) &&
           std::count(entry.begin(), entry.end(), ':') == 2;
  }
  return false;
}

void LibsvmFormat::read(const std::string& source, RowSink& sink) const {
  read_blocks(source, *parser(source, sink.unlabelled_features()), sink);
}

std::unique_ptr<BlockParser> LibsvmFormat::parser(const std::string& source,
                                                  Index unlabelled_features) const {
  return std::make_unique<LibsvmParser>(
      source,
      LibsvmParser::Settings{hash_, skips_bad_rows_, has_fields_, unlabelled_features >= 0, label_weights_});
}

}  // namespace lockstep
