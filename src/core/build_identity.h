// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace lockstep {

/// What tells this build from others: version, instruction set, compiler, and the numbers that the linker
/// gave the program and, if it is another file, the one that holds this library (GNU build ID: a hash of the
/// content; "none" where the linker gave none).
std::string build_identity();

}  // namespace lockstep
