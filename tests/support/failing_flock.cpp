// SPDX-License-Identifier: Apache-2.0
#include "support/failing_flock.h"

#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace {

std::atomic<int> flock_error{0};

}  // namespace

// The program's own definition comes before that of the C library.
extern "C" int flock(int descriptor, int operation) noexcept {
  if (const int error = flock_error.load(); error != 0) {
    errno = error;
    return -1;
  }
  return static_cast<int>(syscall(SYS_flock, descriptor, operation));
}

namespace lockstep::testing {

FailingFlock::FailingFlock(int error) {
  flock_error = error;
}

FailingFlock::~FailingFlock() {
  flock_error = 0;
}

}  // namespace lockstep::testing
