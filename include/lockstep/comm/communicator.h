// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace [[gnu::visibility("default")]] lockstep {

/// Bytes to one rank.
struct Send {
  int peer = 0;
  const void* data = nullptr;
  std::size_t size = 0;
};

/// Bytes from one rank.
struct Receive {
  int peer = 0;
  void* data = nullptr;
  std::size_t size = 0;
};

/// The ranks of one job: bytes between them, and nothing else. Sums are formed by `reduce`, never by the
/// transport. Backed by MPI, by threads (tests) or by nothing (one rank).
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual std::string host() const = 0;
  /// Number of the machine this rank runs on. Ranks of one node follow each other and can share memory.
  virtual int node() const { return 0; }

  /// Collective among the named peers. Sends and receives all; returns when all are done. Between two ranks
  /// messages match in order and both name the same size; empty ones are not sent. Sizes above 2 GiB are cut.
  /// Throws Error(kStopped) past the deadline (comm.timeout_s), naming the ranks still waited for; the
  /// communicator is of no use after that.
  virtual void exchange(std::span<const Send> sends, std::span<const Receive> receives) = 0;

  /// Collective. `size` bytes of zeros that all ranks see, 64-byte aligned; null on all ranks where they are
  /// on several nodes or the memory cannot be had, with the reason in `why_not`. It is gone with the last of
  /// its owners, however they end.
  virtual std::shared_ptr<std::byte> share_memory(std::size_t /*size*/, std::string& why_not) {
    why_not = "the transport has none";
    return nullptr;
  }

  /// Called now and then by ranks that wait for a flag in shared memory; throws if waiting has no use.
  virtual void check_peers() {}

  /// Seconds after which a rank that waits gives up.
  virtual double timeout_s() const { return 600; }

  /// Whether ranks that wait must let others have the processor at once.
  virtual bool is_oversubscribed() const { return false; }

  /// Collective. The textbook sum of floats in place, in an order the transport chooses: not reproducible
  /// over numbers of ranks. For reduction = "mpi" alone.
  virtual void sum_in_any_order(float* data, std::size_t count) = 0;

  /// Ends all ranks with this code; does not return. Called by main alone.
  [[noreturn]] virtual void abort(int exit_code) = 0;
};

/// Collective. `data` of rank 0 reaches all ranks. Binomial tree, ⌈log₂ P⌉ rounds.
void broadcast(Communicator& communicator, void* data, std::size_t size);
/// Collective. Block r of `all` (P blocks of `size` bytes) becomes what rank r passed as `mine`, which may be
/// that block itself. ⌈log₂ P⌉ rounds.
void all_gather(Communicator& communicator, const void* mine, std::size_t size, void* all);
/// Collective. Texts of any length, by rank.
std::vector<std::string> all_gather(Communicator& communicator, const std::string& mine);
/// Collective. Returns when all ranks have called. ⌈log₂ P⌉ rounds.
void barrier(Communicator& communicator);

/// One rank without a launcher.
std::unique_ptr<Communicator> make_single_communicator();

}  // namespace lockstep
