// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Collective. Throws Error(kDisagree) on every rank unless all passed the same text: which ranks on which
/// hosts have which `what` ("build", "configuration", …). Cost: two gathers of the text.
void require_agreement(Communicator& communicator, const std::string& what, const std::string& mine);

/// Collective, with the same ranks on all. "rank 3 on n1", "ranks 0–2 on n1, 5 on n2".
std::string describe_ranks(Communicator& communicator, const std::vector<int>& ranks);

/// Collective. If any rank passes an exception, every rank throws the same Error: that of the lowest such
/// rank, led by its rank and host unless all ranks had the same one. A rank without trouble passes nullptr.
void rethrow_first_error(Communicator& communicator, std::exception_ptr mine);

/// Collective. Calls `work` and then rethrow_first_error() with what it threw.
template <class Work>
void on_all_ranks(Communicator& communicator, const Work& work) {
  std::exception_ptr error;
  try {
    work();
  } catch (...) {
    error = std::current_exception();
  }
  rethrow_first_error(communicator, error);
}

}  // namespace lockstep
