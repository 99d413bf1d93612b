// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Collective. Communicator::share_memory() by POSIX shared memory. All pages are reserved before they are
/// mapped, so a full /dev/shm is an answer and not a signal later: those of `mine` by this rank, on whose
/// NUMA domain the kernel then places them, and what nobody named by rank 0. The name of the segment is
/// removed before the call returns, so nothing is left behind however the ranks end.
std::shared_ptr<std::byte> share_posix_memory(Communicator& group, std::size_t size,
                                              std::span<const ByteRange> mine, std::string& why_not);

}  // namespace lockstep
