// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>

#include "lockstep/core/error.h"

namespace lockstep {

/// What is told of an exception: an Error as it is, memory that ran out as kHosts, a file system that
/// refused as kIo, anything else as kInternal.
Error caught_error(const std::exception_ptr& exception);

}  // namespace lockstep
