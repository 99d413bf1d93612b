// SPDX-License-Identifier: Apache-2.0
#include "support/thread_communicator.h"

#include <xmmintrin.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lockstep/core/error.h"

namespace lockstep {

namespace {

// Another rank threw.
struct Poisoned {};

// A message that its sender offers until someone has copied it.
struct Message {
  const void* data = nullptr;
  std::size_t size = 0;
  bool* is_taken = nullptr;
};

// Messages from one rank to another, in order. Keeps its memory, so that steps do not allocate.
class Channel {
 public:
  void push(Message message) { messages_.push_back(message); }
  bool is_empty() const { return next_ == messages_.size(); }
  Message pop() {
    const Message message = messages_[next_++];
    if (is_empty()) {
      messages_.clear();
      next_ = 0;
    }
    return message;
  }

 private:
  std::vector<Message> messages_;
  std::size_t next_ = 0;
};

// What all ranks share; everything is guarded by the mutex.
struct World {
  World(int ranks, std::chrono::milliseconds longest_wait)
      : size(ranks), timeout(longest_wait), channels(static_cast<std::size_t>(ranks * ranks)) {}

  Channel& channel(int from, int to) { return channels[static_cast<std::size_t>(from * size + to)]; }
  void poison() {
    const std::lock_guard lock(mutex);
    is_poisoned = true;
    changed.notify_all();
  }

  const int size;
  const std::chrono::milliseconds timeout;
  std::mutex mutex;
  std::condition_variable changed;
  bool is_poisoned = false;
  std::vector<Channel> channels;
  int sharers = 0;
  std::shared_ptr<std::byte> shared;
};

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(World& world, int rank) : world_(world), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return world_.size; }
  std::string host() const override { return "thread" + std::to_string(rank_); }

  void exchange(std::span<const Send> sends, std::span<const Receive> receives) override {
    std::unique_lock lock(world_.mutex);
    try {
      exchange_locked(lock, sends, receives);
    } catch (...) {
      // The messages offered here are gone with the caller's memory: nobody may take them any more.
      world_.is_poisoned = true;
      world_.changed.notify_all();
      throw;
    }
  }

  std::shared_ptr<std::byte> share_memory(std::size_t size, std::string&) override {
    {
      const std::lock_guard lock(world_.mutex);
      if (++world_.sharers == 1) {
        auto* memory = static_cast<std::byte*>(std::aligned_alloc(64, (size + 63) / 64 * 64));
        std::memset(memory, 0, size);
        world_.shared = std::shared_ptr<std::byte>(memory, [](std::byte* data) { std::free(data); });
      }
    }
    barrier(*this);
    auto shared = world_.shared;
    barrier(*this);
    {
      const std::lock_guard lock(world_.mutex);
      if (--world_.sharers == 0) world_.shared.reset();
    }
    barrier(*this);
    return shared;
  }

  void check_peers() override {
    const std::lock_guard lock(world_.mutex);
    if (world_.is_poisoned) throw Poisoned{};
  }
  double timeout_s() const override { return std::chrono::duration<double>(world_.timeout).count(); }
  bool is_oversubscribed() const override { return true; }

  // From the last rank down, which is not the order of the tree.
  void sum_in_any_order(float* data, std::size_t count) override {
    const auto ranks = static_cast<std::size_t>(size());
    std::vector<float> all(ranks * count);
    all_gather(*this, data, count * sizeof(float), all.data());
    std::fill_n(data, count, 0.0F);
    for (std::size_t r = ranks; r-- > 0;)
      for (std::size_t i = 0; i < count; ++i) data[i] += all[r * count + i];
  }

  void abort(int exit_code) override {
    world_.poison();
    throw RankAborted{exit_code};
  }

 private:
  struct Flag {
    bool is_set = false;
  };

  void exchange_locked(std::unique_lock<std::mutex>& lock, std::span<const Send> sends,
                       std::span<const Receive> receives) {
    if (world_.is_poisoned) throw Poisoned{};
    taken_.assign(sends.size(), Flag{});
    for (std::size_t i = 0; i < sends.size(); ++i) {
      taken_[i].is_set = sends[i].size == 0;
      if (!taken_[i].is_set)
        world_.channel(rank_, sends[i].peer).push({sends[i].data, sends[i].size, &taken_[i].is_set});
    }
    world_.changed.notify_all();
    for (const Receive& receive : receives)
      if (receive.size > 0) take(lock, receive);
    for (std::size_t i = 0; i < sends.size(); ++i)
      wait(lock, sends[i].peer, [&] { return taken_[i].is_set; });
  }

  void take(std::unique_lock<std::mutex>& lock, const Receive& receive) {
    Channel& channel = world_.channel(receive.peer, rank_);
    wait(lock, receive.peer, [&] { return !channel.is_empty(); });
    const Message message = channel.pop();
    LOCKSTEP_CHECK_EQ(message.size, receive.size);
    std::memcpy(receive.data, message.data, message.size);
    *message.is_taken = true;
    world_.changed.notify_all();
  }

  template <class Condition>
  void wait(std::unique_lock<std::mutex>& lock, int peer, const Condition& condition) {
    const auto is_over = [&] { return world_.is_poisoned || condition(); };
    if (!world_.changed.wait_for(lock, world_.timeout, is_over))
      throw Error(ExitCode::kStopped, "rank " + std::to_string(rank_) + " waited too long for rank " +
                                          std::to_string(peer) + ".");
    if (world_.is_poisoned) throw Poisoned{};
  }

  World& world_;
  int rank_;
  std::vector<Flag> taken_;
};

}  // namespace

void run_ranks(int ranks, const std::function<void(Communicator&)>& body, std::chrono::milliseconds timeout) {
  World world(ranks, timeout);
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(ranks));
  const unsigned int control = _mm_getcsr();
  const auto run_rank = [&](int rank) {
    _mm_setcsr(control);
    ThreadCommunicator communicator(world, rank);
    try {
      body(communicator);
    } catch (const Poisoned&) {
    } catch (...) {
      errors[static_cast<std::size_t>(rank)] = std::current_exception();
      world.poison();
    }
  };
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) threads.emplace_back(run_rank, rank);
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

}  // namespace lockstep
