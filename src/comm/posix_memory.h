// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Collective. Communicator::share_memory() by POSIX shared memory. The segment is reserved before it is
/// mapped, so a full /dev/shm is an answer and not a signal later, and its name is removed before the call
/// returns, so nothing is left behind however the ranks end.
std::shared_ptr<std::byte> share_posix_memory(Communicator& communicator, std::size_t size,
                                              std::string& why_not);

}  // namespace lockstep
