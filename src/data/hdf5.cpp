// SPDX-License-Identifier: Apache-2.0
#include "data/hdf5.h"

#include "data/hdf5_parser.h"
#include "data/read_blocks.h"
#include "lockstep/core/error.h"

namespace lockstep {

// The signature may stand behind a block of the user's, of 512 bytes or twice, four times, … that.
bool Hdf5Format::matches(std::string_view, std::string_view head) {
  constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
  for (std::size_t at = 0; at < head.size(); at = at == 0 ? 512 : 2 * at)
    if (head.substr(at).starts_with(kSignature)) return true;
  return false;
}

void Hdf5Format::read(const std::string& source, RowSink& sink) const {
  read_blocks(source, *parser(source, sink.unlabelled_features()), sink);
}

std::unique_ptr<BlockParser> Hdf5Format::parser(const std::string& source, Index unlabelled_features) const {
  if (!settings_.labels.empty())
    throw Error(ExitCode::kConfig, source + ": is an HDF5 file, its labels are its data set y; \"" +
                                       settings_.labels + "\" is not read");
  return std::make_unique<Hdf5Parser>(source, settings_, unlabelled_features);
}

}  // namespace lockstep
