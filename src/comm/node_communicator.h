// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "comm/rank_record.h"
#include "lockstep/comm/communicator.h"

namespace lockstep {

/// Ranks [first, first + size) of another communicator, numbered from 0: those of one node.
class NodeCommunicator final : public Communicator, public Recording {
 public:
  /// This rank is one of them. `all` must live as long.
  NodeCommunicator(Communicator& all, int first, int size) : all_(all), first_(first), size_(size) {}

  int rank() const override { return all_.rank() - first_; }
  int size() const override { return size_; }
  std::string host() const override { return all_.host(); }
  int node() const override { return all_.node(); }
  void exchange(std::span<const Send> sends, std::span<const Receive> receives) override;
  using Communicator::share_memory;
  std::shared_ptr<std::byte> share_memory(Communicator& group, std::size_t size,
                                          std::span<const ByteRange> mine, std::string& why_not) override {
    return all_.share_memory(group, size, mine, why_not);
  }
  void check_peers() override { all_.check_peers(); }
  double timeout_s() const override { return all_.timeout_s(); }
  bool is_oversubscribed() const override { return all_.is_oversubscribed(); }
  /// The ranks of a node have no such sum of their own: an internal error.
  void sum_in_any_order(float* data, std::size_t count) override;
  RankRecord& record() override { return record_of(all_); }
  void record_to(RankRecord& record) override { recording_of(all_).record_to(record); }
  [[noreturn]] void abort(int exit_code) override;

 private:
  Communicator& all_;
  int first_;
  int size_;
  std::vector<Send> sends_;
  std::vector<Receive> receives_;
};

}  // namespace lockstep
