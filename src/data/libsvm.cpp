// SPDX-License-Identifier: Apache-2.0
#include "data/libsvm.h"

#include "data/libsvm_parser.h"
#include "data/read_blocks.h"

namespace lockstep {

LibsvmFormat::LibsvmFormat(const Options& options)
    : hash_(options), skips_bad_rows_(options.text("data.on_bad_row") == "skip") {}

bool LibsvmFormat::matches(std::string_view, std::string_view head) {
  while (!head.empty()) {
    const auto end = head.find('\n');
    std::string_view line = LibsvmParser::without_comment(head.substr(0, end));
    head = end == std::string_view::npos ? std::string_view() : head.substr(end + 1);
    LibsvmParser::next_word(line);
    const std::string_view entry = LibsvmParser::next_word(line);
    const auto colon = entry.find(':');
    if (colon == std::string_view::npos || colon == 0) continue;
    const std::string_view index = entry.substr(0, colon);
    if (index == "qid" || index.find_first_not_of("+-0123456789") == std::string_view::npos) return true;
  }
  return false;
}

void LibsvmFormat::read(const std::string& source, RowSink& sink) const {
  read_blocks(source, *parser(source, sink.unlabelled_features()), sink);
}

std::unique_ptr<BlockParser> LibsvmFormat::parser(const std::string& source,
                                                  Index unlabelled_features) const {
  return std::make_unique<LibsvmParser>(
      source, LibsvmParser::Settings{hash_, skips_bad_rows_, false, unlabelled_features >= 0});
}

}  // namespace lockstep
