// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace lockstep {

/// The name of this machine, as the kernel has it.
std::string host_name();

}  // namespace lockstep
