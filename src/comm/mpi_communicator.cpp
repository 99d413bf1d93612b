// SPDX-License-Identifier: Apache-2.0
#include "comm/mpi_communicator.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <set>
#include <thread>
#include <utility>

#include "comm/host_name.h"
#include "comm/numa_domains.h"
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
  find_places();
  check(MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  polls_before_yielding_ = find_topology(*this).is_oversubscribed() ? 0 : kPollsBeforeYielding;
  find_neighbours();
}

MpiCommunicator::~MpiCommunicator() {
  int is_finalized = 0;
  MPI_Finalized(&is_finalized);
  if (is_finalized == 0 && communicator_ != MPI_COMM_NULL) MPI_Comm_free(&communicator_);
}

// Launchers may deal ranks out to machines in turn.
void MpiCommunicator::find_places() {
  MPI_Comm machine = MPI_COMM_NULL;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &size_);
  check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &machine),
        "MPI_Comm_split_type");
  RankPlace mine{rank_, own_numa_domain()};
  check(MPI_Bcast(&mine.machine, 1, MPI_INT, 0, machine), "MPI_Bcast");
  MPI_Comm_free(&machine);
  std::vector<RankPlace> places(static_cast<std::size_t>(size_));
  check(MPI_Allgather(&mine, sizeof mine, MPI_BYTE, places.data(), sizeof mine, MPI_BYTE, MPI_COMM_WORLD),
        "MPI_Allgather");
  const std::vector<int> numbers = number_ranks(places);
  std::set<int> machines_before;
  for (const RankPlace& place : places)
    if (place.machine < mine.machine) machines_before.insert(place.machine);
  node_ = static_cast<int>(machines_before.size());
  check(MPI_Comm_split(MPI_COMM_WORLD, 0, numbers[static_cast<std::size_t>(rank_)], &communicator_),
        "MPI_Comm_split");
  MPI_Comm_rank(communicator_, &rank_);
}

// Processes of another namespace of process numbers cannot be seen, which says nothing.
void MpiCommunicator::find_neighbours() {
  const std::array<int, 2> mine{node_, getpid()};
  std::vector<std::array<int, 2>> all(static_cast<std::size_t>(size_));
  all_gather(*this, &mine, sizeof mine, all.data());
  for (int rank = 0; rank < size_; ++rank) {
    const auto& [node, process] = all[static_cast<std::size_t>(rank)];
    if (node == node_ && rank != rank_ && kill(process, 0) == 0) neighbours_.push_back({rank, process});
  }
  barrier(*this);  // or one that is seen no more may just have ended in good order
}

void MpiCommunicator::check_peers() {
  advance_exchanges();
  for (const Neighbour& neighbour : neighbours_)
    if (kill(neighbour.process, 0) != 0 && errno == ESRCH)
      throw Error(ExitCode::kStopped,
                  "the process of rank " + std::to_string(neighbour.rank) + " on " + host_ + " is gone.");
}

MPI_Request* MpiCommunicator::Requests::add(int peer, bool is_receive, int size) {
  bytes += static_cast<std::uint64_t>(size);
  peers.push_back(peer);
  are_receives.push_back(is_receive ? 1 : 0);
  return &requests.emplace_back(MPI_REQUEST_NULL);
}

void MpiCommunicator::Requests::clear() {
  requests.clear();
  peers.clear();
  are_receives.clear();
  bytes = 0;
}

void MpiCommunicator::post(std::span<const Send> sends, std::span<const Receive> receives,
                           Requests& requests) {
  const std::uint64_t before = requests.bytes;
  for (const Receive& receive : receives)
    for (std::size_t done = 0; done < receive.size; done += largest_message_) {
      const int count = static_cast<int>(std::min(largest_message_, receive.size - done));
      check(MPI_Irecv(static_cast<char*>(receive.data) + done, count, MPI_BYTE, receive.peer, kTag,
                      communicator_, requests.add(receive.peer, true, count)),
            "MPI_Irecv");
    }
  for (const Send& send : sends)
    for (std::size_t done = 0; done < send.size; done += largest_message_) {
      const int count = static_cast<int>(std::min(largest_message_, send.size - done));
      check(MPI_Isend(static_cast<const char*>(send.data) + done, count, MPI_BYTE, send.peer, kTag,
                      communicator_, requests.add(send.peer, false, count)),
            "MPI_Isend");
    }
  record().expect(requests.bytes - before);
}

void MpiCommunicator::exchange(std::span<const Send> sends, std::span<const Receive> receives) {
  requests_.clear();
  post(sends, receives, requests_);
  wait_for(requests_);
}

void MpiCommunicator::begin_exchange(std::span<const Send> sends, std::span<const Receive> receives) {
  post(sends, receives, begun_);
}

void MpiCommunicator::advance_exchanges() {
  if (!begun_.requests.empty()) test(begun_);
}

void MpiCommunicator::finish_exchanges() {
  wait_for(begun_);
  begun_.clear();
}

bool MpiCommunicator::test(Requests& requests) {
  int is_done = 0;
  check(MPI_Testall(static_cast<int>(requests.requests.size()), requests.requests.data(), &is_done,
                    MPI_STATUSES_IGNORE),
        "MPI_Testall");
  return is_done != 0;
}

// The one place where this process waits for others. MPI makes progress only inside its calls, so sleeps are
// short; without them four ranks on two cores would keep each other from the processor.
void MpiCommunicator::wait_for(Requests& requests) {
  for (int poll = 0; poll < polls_before_yielding_; ++poll)
    if (test(requests)) return note_end(requests);
  const Clock::time_point start = Clock::now();
  while (!test(requests)) {
    const Clock::duration waited = Clock::now() - start;
    if (std::chrono::duration<double>(waited).count() > timeout_s_) give_up(requests);
    if (waited < kTimeBeforeSleeping) {
      sched_yield();
    } else {
      note_wait(requests);
      std::this_thread::sleep_for(kSleep);
    }
  }
  note_end(requests);
}

// Whom it is for: of messages that are done one by one the request is null.
void MpiCommunicator::note_wait(Requests& requests) {
  for (std::size_t i = 0; i < requests.requests.size(); ++i) {
    int is_done = 0;
    if (requests.requests[i] != MPI_REQUEST_NULL)
      check(MPI_Test(&requests.requests[i], &is_done, MPI_STATUS_IGNORE), "MPI_Test");
    if (requests.requests[i] != MPI_REQUEST_NULL) return record().wait_for(requests.peers[i]);
  }
}

void MpiCommunicator::note_end(Requests& requests) {
  record().finish(std::exchange(requests.bytes, 0));
  record().end_wait();
}

void MpiCommunicator::give_up(Requests& waited_for) {
  std::vector<MPI_Request>& requests = waited_for.requests;
  std::set<int> late;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    int is_done = 0;
    if (requests[i] != MPI_REQUEST_NULL &&
        MPI_Test(&requests[i], &is_done, MPI_STATUS_IGNORE) == MPI_SUCCESS && is_done == 0)
      late.insert(waited_for.peers[i]);
  }
  // Nothing may be written to the caller's memory after it is gone.
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (requests[i] == MPI_REQUEST_NULL) continue;
    if (waited_for.are_receives[i] != 0) MPI_Cancel(&requests[i]);
    MPI_Request_free(&requests[i]);
  }
  waited_for.clear();
  std::string ranks;
  for (int peer : late) ranks += (ranks.empty() ? "" : ", ") + std::to_string(peer);
  throw Error(ExitCode::kStopped, "rank " + std::to_string(rank_) + " on " + host_ + " waited longer than " +
                                      std::to_string(std::lround(timeout_s_)) +
                                      " s (comm.timeout_s) for rank" + (late.size() > 1 ? "s " : " ") +
                                      ranks + ".");
}

std::shared_ptr<std::byte> MpiCommunicator::share_memory(Communicator& group, std::size_t size,
                                                         std::span<const ByteRange> mine,
                                                         std::string& why_not) {
  return share_posix_memory(group, size, mine, why_not);
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
