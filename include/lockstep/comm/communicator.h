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

/// Bytes of a piece of memory, from its start.
struct ByteRange {
  std::size_t begin = 0;
  std::size_t end = 0;
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

  /// The same, going on while the caller works: posts all and returns. Nothing of it may be touched before
  /// finish_exchanges(), and exchange() with one of these peers not be called. Several may be begun one after
  /// the other; messages between two ranks match in the order they were begun.
  virtual void begin_exchange(std::span<const Send> sends, std::span<const Receive> receives) {
    exchange(sends, receives);
  }
  /// Moves on what was begun, for a moment; without it nothing may move.
  virtual void advance_exchanges() {}
  /// Returns when all that was begun is done, or throws like exchange().
  virtual void finish_exchanges() {}

  /// Collective among `group`, ranks of one machine that are this communicator's. `size` bytes of zeros that
  /// all of them see, 64-byte aligned; null on all of them where the memory cannot be had, with the reason in
  /// `why_not`. It is gone with the last of its owners, however they end. A rank places `mine`, the ranges
  /// that it uses most, near itself; what several name goes to one of them.
  virtual std::shared_ptr<std::byte> share_memory(Communicator& /*group*/, std::size_t /*size*/,
                                                  std::span<const ByteRange> /*mine*/, std::string& why_not) {
    why_not = "the transport has none";
    return nullptr;
  }
  /// Collective. The same among all ranks; null where they are on several machines.
  std::shared_ptr<std::byte> share_memory(std::size_t size, std::string& why_not) {
    return share_memory(*this, size, {}, why_not);
  }

  /// Called now and then by ranks that wait for a flag in shared memory: moves on what was begun, and throws
  /// if waiting has no use.
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
