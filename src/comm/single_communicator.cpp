// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <cstring>
#include <string>

#include "comm/host_name.h"
#include "comm/rank_record.h"
#include "lockstep/comm/communicator.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

class SingleCommunicator final : public Communicator, public Recording {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::string host() const override { return host_name(); }

  void exchange(std::span<const Send> sends, std::span<const Receive> receives) override {
    LOCKSTEP_CHECK_EQ(sends.size(), receives.size());
    for (std::size_t i = 0; i < sends.size(); ++i) {
      LOCKSTEP_CHECK_EQ(sends[i].size, receives[i].size);
      if (sends[i].size > 0) std::memmove(receives[i].data, sends[i].data, sends[i].size);
    }
  }

  void sum_in_any_order(float*, std::size_t) override {}

  void abort(int exit_code) override { std::_Exit(exit_code); }
};

}  // namespace

std::unique_ptr<Communicator> make_single_communicator() {
  return std::make_unique<SingleCommunicator>();
}

}  // namespace lockstep
