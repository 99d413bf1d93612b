// SPDX-License-Identifier: Apache-2.0
#include "data/npy.h"

#include "data/labels_file.h"
#include "data/npy_rows.h"

namespace lockstep {

bool NpyFormat::matches(std::string_view, std::string_view head) {
  return head.substr(0, 6) == "\x93NUMPY";
}

void NpyFormat::read(const std::string& source, RowSink& sink) const {
  std::string path = settings_.labels;
  if (path.empty() && settings_.label.empty())
    path =
        find_labels_file(source, {{"X_", "y_"}, {"x_", "y_"}, {"images", "labels"}, {"features", "labels"}});
  std::optional<ByteSource> labels;
  if (!path.empty()) labels.emplace(path);
  NpyRows(ByteSource(source), std::move(labels), settings_, sink).pass();
}

}  // namespace lockstep
