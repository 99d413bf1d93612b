// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi_communicator.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <set>
#include <thread>

#include "comm/host_name.h"
#include "comm/posix_memory.h"
#include "comm/topology.h"
#include "lockstep/core/error.h"

namespace lockstep {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTag = 0;
constexpr int kPollsBeforeYielding = 4000;
constexpr auto kTimeBeforeSleeping = std::chrono::milliseconds(1);
constexpr auto kSleep = std::chrono::microseconds(50);

void check(int status, const char* what) {
  if (status == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(status, text.data(), &length);
  throw Error(ExitCode::kStopped, std::string(what) + " failed: " + text.data());
}

}  // namespace

MpiCommunicator::MpiCommunicator(double timeout_s, std::size_t largest_message)
    : host_(host_name()), timeout_s_(timeout_s), largest_message_(largest_message) {
  const int first_on_node = find_node();
  check(MPI_Comm_split(MPI_COMM_WORLD, 0, first_on_node, &communicator_), "MPI_Comm_split");
  check(MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  MPI_Comm_rank(communicator_, &rank_);
  MPI_Comm_size(communicator_, &size_);
  std::vector<int> firsts(static_cast<std::size_t>(size_));
  all_gather(*this, &first_on_node, sizeof first_on_node, firsts.data());
  node_ = static_cast<int>(std::set<int>(firsts.begin(), firsts.begin() + rank_ + 1).size()) - 1;
  polls_before_yielding_ = find_topology(*this).is_oversubscribed() ? 0 : kPollsBeforeYielding;
}

MpiCommunicator::~MpiCommunicator() {
  int is_finalized = 0;
  MPI_Finalized(&is_finalized);
  if (is_finalized == 0 && communicator_ != MPI_COMM_NULL) MPI_Comm_free(&communicator_);
}

// The lowest rank of MPI_COMM_WORLD on this node. As a key of MPI_Comm_split it orders ranks node by node,
// and by their old number within a node.
int MpiCommunicator::find_node() const {
  MPI_Comm node = MPI_COMM_NULL;
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node),
        "MPI_Comm_split_type");
  int first = rank;
  check(MPI_Bcast(&first, 1, MPI_INT, 0, node), "MPI_Bcast");
  MPI_Comm_free(&node);
  return first;
}

void MpiCommunicator::exchange(std::span<const Send> sends, std::span<const Receive> receives) {
  requests_.clear();
  peers_.clear();
  const auto add = [&](int peer) {
    peers_.push_back(peer);
    return &requests_.emplace_back(MPI_REQUEST_NULL);
  };
  for (const Receive& receive : receives)
    for (std::size_t done = 0; done < receive.size; done += largest_message_) {
      const int count = static_cast<int>(std::min(largest_message_, receive.size - done));
      check(MPI_Irecv(static_cast<char*>(receive.data) + done, count, MPI_BYTE, receive.peer, kTag,
                      communicator_, add(receive.peer)),
            "MPI_Irecv");
    }
  receives_ = requests_.size();
  for (const Send& send : sends)
    for (std::size_t done = 0; done < send.size; done += largest_message_) {
      const int count = static_cast<int>(std::min(largest_message_, send.size - done));
      check(MPI_Isend(static_cast<const char*>(send.data) + done, count, MPI_BYTE, send.peer, kTag,
                      communicator_, add(send.peer)),
            "MPI_Isend");
    }
  wait_for_requests();
}

bool MpiCommunicator::test_requests() {
  int is_done = 0;
  check(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &is_done, MPI_STATUSES_IGNORE),
        "MPI_Testall");
  return is_done != 0;
}

// The one place where this process waits for others. MPI makes progress only inside its calls, so sleeps are
// short; without them four ranks on two cores would keep each other from the processor.
void MpiCommunicator::wait_for_requests() {
  for (int poll = 0; poll < polls_before_yielding_; ++poll)
    if (test_requests()) return;
  const Clock::time_point start = Clock::now();
  while (!test_requests()) {
    const Clock::duration waited = Clock::now() - start;
    if (std::chrono::duration<double>(waited).count() > timeout_s_) give_up();
    if (waited < kTimeBeforeSleeping)
      sched_yield();
    else
      std::this_thread::sleep_for(kSleep);
  }
}

void MpiCommunicator::give_up() {
  std::set<int> late;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    int is_done = 0;
    if (requests_[i] != MPI_REQUEST_NULL &&
        MPI_Test(&requests_[i], &is_done, MPI_STATUS_IGNORE) == MPI_SUCCESS && is_done == 0)
      late.insert(peers_[i]);
  }
  // Nothing may be written to the caller's memory after it is gone.
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i] == MPI_REQUEST_NULL) continue;
    if (i < receives_) MPI_Cancel(&requests_[i]);
    MPI_Request_free(&requests_[i]);
  }
  std::string ranks;
  for (int peer : late) ranks += (ranks.empty() ? "" : ", ") + std::to_string(peer);
  throw Error(ExitCode::kStopped, "rank " + std::to_string(rank_) + " on " + host_ + " waited longer than " +
                                      std::to_string(std::lround(timeout_s_)) +
                                      " s (comm.timeout_s) for rank" + (late.size() > 1 ? "s " : " ") +
                                      ranks + ".");
}

std::shared_ptr<std::byte> MpiCommunicator::share_memory(std::size_t size, std::string& why_not) {
  return share_posix_memory(*this, size, why_not);
}

void MpiCommunicator::sum_in_any_order(float* data, std::size_t count) {
  constexpr std::size_t kMost = kLargestMessage / sizeof(float);
  for (std::size_t done = 0; done < count; done += kMost) {
    const int now = static_cast<int>(std::min(kMost, count - done));
    check(MPI_Allreduce(MPI_IN_PLACE, data + done, now, MPI_FLOAT, MPI_SUM, communicator_), "MPI_Allreduce");
  }
}

void MpiCommunicator::abort(int exit_code) {
  MPI_Abort(communicator_, exit_code);
  std::_Exit(exit_code);
}

}  // namespace lockstep
