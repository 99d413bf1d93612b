// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mpi.h>

#include <string>
#include <vector>

#include "comm/rank_record.h"
#include "lockstep/comm/communicator.h"

namespace lockstep {

/// All ranks of an MpiSession, numbered node by node, on a communicator of their own.
class MpiCommunicator final : public Communicator, public Recording {
 public:
  static constexpr std::size_t kLargestMessage = std::size_t{1} << 30;  ///< bytes; MPI counts them in an int

  /// Collective. `timeout_s`: the longest wait for other ranks in exchange(). Messages are cut into parts of
  /// `largest_message` bytes.
  explicit MpiCommunicator(double timeout_s, std::size_t largest_message = kLargestMessage);
  ~MpiCommunicator() override;
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string host() const override { return host_; }
  int node() const override { return node_; }

  /// Allocates nothing after the call with the most messages.
  void exchange(std::span<const Send> sends, std::span<const Receive> receives) override;
  void begin_exchange(std::span<const Send> sends, std::span<const Receive> receives) override;
  void advance_exchanges() override;
  void finish_exchanges() override;
  using Communicator::share_memory;
  std::shared_ptr<std::byte> share_memory(Communicator& group, std::size_t size,
                                          std::span<const ByteRange> mine, std::string& why_not) override;
  /// Throws Error(kStopped) if the process of a rank of this machine is gone.
  void check_peers() override;
  double timeout_s() const override { return timeout_s_; }
  bool is_oversubscribed() const override { return polls_before_yielding_ == 0; }
  void sum_in_any_order(float* data, std::size_t count) override;
  [[noreturn]] void abort(int exit_code) override;

 private:
  /// Sends and receives under way.
  struct Requests {
    std::vector<MPI_Request> requests;
    std::vector<int> peers;
    std::vector<char> are_receives;
    std::uint64_t bytes = 0;

    MPI_Request* add(int peer, bool is_receive, int size);
    void clear();
  };
  /// A rank of this machine, but this one.
  struct Neighbour {
    int rank = 0;
    int process = 0;
  };

  void find_places();
  void find_neighbours();
  void post(std::span<const Send> sends, std::span<const Receive> receives, Requests& requests);
  void wait_for(Requests& requests);
  bool test(Requests& requests);
  void note_wait(Requests& requests);
  void note_end(Requests& requests);
  [[noreturn]] void give_up(Requests& requests);

  MPI_Comm communicator_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  int node_ = 0;
  std::string host_;
  double timeout_s_;
  std::size_t largest_message_;
  int polls_before_yielding_ = 0;
  Requests requests_;  ///< of exchange()
  Requests begun_;     ///< of begin_exchange()
  std::vector<Neighbour> neighbours_;
};

}  // namespace lockstep
