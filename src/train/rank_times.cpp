// SPDX-License-Identifier: Apache-2.0
#include "train/rank_times.h"

#include <algorithm>

#include "core/clock.h"

namespace lockstep {

namespace {

constexpr double kFirstInterval_s = 0.25;  // so that short runs say something too
constexpr double kLongestInterval_s = 3;

// Field by field: `sign` times the other.
void add_to(StepSeconds& sum, const StepSeconds& other, double sign) {
  sum.data += sign * other.data;
  sum.compute += sign * other.compute;
  sum.exchange += sign * other.exchange;
  sum.update += sign * other.update;
  sum.exposed += sign * other.exposed;
  sum.whole += sign * other.whole;
}

}  // namespace

RankTimes::RankTimes(Communicator& communicator)
    : communicator_(communicator),
      hosts_(all_gather(communicator, communicator.host())),
      ranks_(static_cast<std::size_t>(communicator.size())),
      interval_s_(kFirstInterval_s),
      next_s_(now_seconds() + interval_s_) {
  report_.ranks.resize(ranks_.size());
  others_.reserve(ranks_.size());
  for (const std::string& host : hosts_)
    report_.host_of_slowest.reserve(std::max(host.size(), report_.host_of_slowest.capacity()));
}

void RankTimes::add(const StepSeconds& step) {
  add_to(all_.seconds, step, 1);
  ++all_.steps;
}

const RankTimesReport& RankTimes::gather() {
  Sums mine = all_;
  add_to(mine.seconds, gathered_.seconds, -1);
  mine.steps -= gathered_.steps;
  gathered_ = all_;
  interval_s_ = std::min(2 * interval_s_, kLongestInterval_s);
  next_s_ = now_seconds() + interval_s_;
  return report(mine);
}

const RankTimesReport& RankTimes::total() {
  return report(all_);
}

// The rank that is last never waits, so what its exchanges take is their price.
const RankTimesReport& RankTimes::report(const Sums& mine) {
  all_gather(communicator_, &mine, sizeof mine, ranks_.data());
  double price = ranks_[0].seconds.exchange, longest_wait = 0;
  report_.seconds = report_.exposed = 0;
  for (const Sums& rank : ranks_) {
    price = std::min(price, rank.seconds.exchange);
    longest_wait = std::max(longest_wait, rank.seconds.exchange);
    report_.seconds += rank.seconds.whole / static_cast<double>(ranks_.size());
    report_.exposed += rank.seconds.exposed / static_cast<double>(ranks_.size());
  }
  report_.steps = static_cast<Index>(ranks_[0].steps);
  report_.slowest = 0;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const StepSeconds& rank = ranks_[i].seconds;
    const double late_s = (longest_wait - rank.exchange) / std::max(ranks_[i].steps, 1.0);
    report_.ranks[i] = {rank.data, rank.compute, price, rank.exchange - price, rank.update, late_s * 1e3};
    if (rank.exchange < ranks_[static_cast<std::size_t>(report_.slowest)].seconds.exchange)
      report_.slowest = static_cast<int>(i);
  }
  const double latest = ranks_[static_cast<std::size_t>(report_.slowest)].seconds.exchange;
  report_.host_of_slowest = hosts_[static_cast<std::size_t>(report_.slowest)];
  report_.late_share = (median_exchange_of_others() - latest) / std::max(report_.seconds, 1e-12);
  return report_;
}

double RankTimes::median_exchange_of_others() {
  others_.clear();
  for (std::size_t i = 0; i < ranks_.size(); ++i)
    if (static_cast<int>(i) != report_.slowest) others_.push_back(ranks_[i].seconds.exchange);
  if (others_.empty()) return ranks_[0].seconds.exchange;
  const auto middle = others_.begin() + static_cast<std::ptrdiff_t>(others_.size() / 2);
  std::nth_element(others_.begin(), middle, others_.end());
  return *middle;
}

}  // namespace lockstep
