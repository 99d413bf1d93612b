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

#include "comm/rank_record.h"
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

// Of messages under way: how many there are at once depends on timing, and steps must not allocate.
constexpr std::size_t kRoom = 256;

// Messages from one rank to another, in order.
class Channel {
 public:
  Channel() { messages_.reserve(kRoom); }
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
};

class ThreadCommunicator final : public Communicator, public Recording {
 public:
  ThreadCommunicator(World& world, int rank) : world_(world), rank_(rank) {
    begun_receives_.reserve(kRoom);
    for (std::size_t i = 0; i < kRoom; ++i) begun_sends_.push_back(std::make_unique<BegunSend>());
  }

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

  void begin_exchange(std::span<const Send> sends, std::span<const Receive> receives) override {
    const std::lock_guard lock(world_.mutex);
    if (world_.is_poisoned) throw Poisoned{};  // what others offer may be gone with their memory
    for (const Send& send : sends) {
      if (send.size == 0) continue;
      if (begun_ == begun_sends_.size()) begun_sends_.push_back(std::make_unique<BegunSend>());
      BegunSend& begun = *begun_sends_[begun_++];
      begun = {send.peer, false};
      world_.channel(rank_, send.peer).push({send.data, send.size, &begun.is_taken});
    }
    for (const Receive& receive : receives)
      if (receive.size > 0) begun_receives_.push_back(receive);
    take_begun();
  }

  void advance_exchanges() override {
    const std::lock_guard lock(world_.mutex);
    if (world_.is_poisoned) throw Poisoned{};
    take_begun();
  }

  void finish_exchanges() override {
    std::unique_lock lock(world_.mutex);
    try {
      while (!begun_receives_.empty()) {
        const Receive next = begun_receives_.front();
        take(lock, next);
        begun_receives_.erase(begun_receives_.begin());
      }
      for (std::size_t i = 0; i < begun_; ++i)
        wait(lock, begun_sends_[i]->peer, [&] { return begun_sends_[i]->is_taken; });
      begun_ = 0;
    } catch (...) {
      world_.is_poisoned = true;
      world_.changed.notify_all();
      throw;
    }
  }

  // The first of the group makes it; the others are told where it is.
  std::shared_ptr<std::byte> share_memory(Communicator& group, std::size_t size, std::span<const ByteRange>,
                                          std::string&) override {
    std::shared_ptr<std::byte> shared;
    if (group.rank() == 0) {
      auto* memory = static_cast<std::byte*>(std::aligned_alloc(64, (size + 63) / 64 * 64));
      std::memset(memory, 0, size);
      shared = std::shared_ptr<std::byte>(memory, [](std::byte* data) { std::free(data); });
    }
    const std::shared_ptr<std::byte>* first = &shared;
    broadcast(group, &first, sizeof first);
    if (group.rank() != 0) shared = *first;
    barrier(group);
    return shared;
  }
  using Communicator::share_memory;

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
  struct BegunSend {
    int peer = 0;
    bool is_taken = false;
  };

  // Messages of one peer arrive in order, so where its channel is empty now it is for all that follow.
  void take_begun() {
    std::erase_if(begun_receives_, [&](const Receive& receive) {
      Channel& channel = world_.channel(receive.peer, rank_);
      if (channel.is_empty()) return false;
      copy(channel.pop(), receive);
      return true;
    });
    world_.changed.notify_all();
  }

  void exchange_locked(std::unique_lock<std::mutex>& lock, std::span<const Send> sends,
                       std::span<const Receive> receives) {
    if (world_.is_poisoned) throw Poisoned{};
    for (const Receive& begun : begun_receives_)
      for (const Receive& receive : receives)
        LOCKSTEP_CHECK(begun.peer != receive.peer);  // which of the two would the message be for?
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
    copy(channel.pop(), receive);
    world_.changed.notify_all();
  }

  static void copy(const Message& message, const Receive& receive) {
    LOCKSTEP_CHECK_EQ(message.size, receive.size);
    std::memcpy(receive.data, message.data, message.size);
    *message.is_taken = true;
  }

  template <class Condition>
  void wait(std::unique_lock<std::mutex>& lock, int peer, const Condition& condition) {
    const auto is_over = [&] { return world_.is_poisoned || condition(); };
    if (!is_over()) record().wait_for(peer);
    const bool is_in_time = world_.changed.wait_for(lock, world_.timeout, is_over);
    record().end_wait();
    if (!is_in_time)
      throw Error(ExitCode::kStopped, "rank " + std::to_string(rank_) + " waited too long for rank " +
                                          std::to_string(peer) + ".");
    if (world_.is_poisoned) throw Poisoned{};
  }

  World& world_;
  int rank_;
  std::vector<Flag> taken_;
  std::vector<std::unique_ptr<BegunSend>> begun_sends_;  // of which begun_ are in use
  std::size_t begun_ = 0;
  std::vector<Receive> begun_receives_;
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
