// SPDX-License-Identifier: Apache-2.0
#include "cli/restart_policy.h"

#include <algorithm>
#include <cmath>

namespace lockstep {

namespace {

constexpr double kHour_s = 3600;
constexpr int kErrorRepeats = 2;

}  // namespace

// Two kills at steps nobody knows were hardly at the same one; an error that stops ranks before their first
// step is.
bool RestartPolicy::is_same_failure(const Judgement& failure, Index step) const {
  const bool is_known = step >= 0 || failure.verdict == Verdict::kError || failure.is_of_start;
  return last_ && is_known && last_->step == step && last_->reason == failure.reason;
}

RestartPolicy::Decision RestartPolicy::decide(const Judgement& failure, Index step,
                                              const std::string& checkpoint, double now_s) {
  if (limits_.restarts == 0) return {0, "launch.restarts is 0"};
  const bool gained = last_ && (last_->checkpoint != checkpoint || step > last_->step);
  in_vain_ = gained ? 1 : in_vain_ + 1;
  same_ = !gained && is_same_failure(failure, step) ? same_ + 1 : 1;
  last_ = {failure.reason, step, checkpoint};
  const int repeats = failure.verdict == Verdict::kError ? kErrorRepeats : limits_.repeats;
  if (same_ >= repeats)
    return {0, "the same failure " + std::to_string(same_) + " times in a row, without a new checkpoint"};
  while (!times_.empty() && times_.front() <= now_s - kHour_s) times_.pop_front();
  if (times_.size() >= static_cast<std::size_t>(limits_.restarts))
    return {0, std::to_string(limits_.restarts) + " restarts within an hour (launch.restarts)"};
  times_.push_back(now_s);
  ++restarts_;
  if (in_vain_ < 2) return {};
  constexpr int kMostDoublings = 40;
  const double delay = std::ldexp(limits_.backoff_s, std::min(in_vain_ - 2, kMostDoublings));
  return {std::min(delay, limits_.backoff_most_s), ""};
}

}  // namespace lockstep
