// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lockstep::testing {

/// While it lives, flock() of this process fails with this error.
class FailingFlock {
 public:
  explicit FailingFlock(int error);
  ~FailingFlock();
  FailingFlock(const FailingFlock&) = delete;
  FailingFlock& operator=(const FailingFlock&) = delete;
};

}  // namespace lockstep::testing
