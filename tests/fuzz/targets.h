// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace lockstep::testing {

/// Each reads bytes as one kind of input, in a process that reads many. Whatever they are, they are accepted
/// (true) or refused by an Error of kData or kConfig (false); everything else is a finding.
bool fuzz_cache(std::string_view input);
bool fuzz_checkpoint(std::string_view input);
bool fuzz_config(std::string_view input);
bool fuzz_csv(std::string_view input);
bool fuzz_gz(std::string_view input);
bool fuzz_idx(std::string_view input);
bool fuzz_libsvm(std::string_view input);
bool fuzz_model(std::string_view input);
bool fuzz_npy(std::string_view input);
bool fuzz_npz(std::string_view input);

}  // namespace lockstep::testing
