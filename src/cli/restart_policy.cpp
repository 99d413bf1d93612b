// SPDX-License-Identifier: Apache-2.0
#include "cli/restart_policy.h"

#include <algorithm>
#include <cmath>

namespace lockstep {

namespace {

constexpr double kHour_s = 3600;
constexpr int kErrorRepeats = 2;
constexpr int kErrorsInVain =
    5;  // a crash is seen at the step of the last progress.json, so steps may differ
constexpr int kFailuresInVain = 30;  // with the waits half an hour, as where memory is short to load the data

}  // namespace

// Two kills at steps nobody knows were hardly at the same one; an error that stops ranks before their first
// step is.
bool RestartPolicy::is_same_failure(const Failure& failure, bool is_of_start) const {
  if (!last_ || (failure.step < 0 && failure.verdict != Verdict::kError && !is_of_start)) return false;
  const bool is_other_rank = last_->rank >= 0 && failure.rank >= 0 && last_->rank != failure.rank;
  return last_->verdict == failure.verdict && last_->code == failure.code && last_->step == failure.step &&
         !is_other_rank;
}

std::string RestartPolicy::why_not(int most) const {
  const int times = same_ >= most ? same_ : errors_ >= kErrorsInVain ? errors_ : 0;
  if (times > 0)
    return "the same failure " + std::to_string(times) + " times in a row, without a new checkpoint";
  if (in_vain_ < std::max(kFailuresInVain, limits_.repeats)) return "";
  return std::to_string(in_vain_) + " failures in a row, without a new checkpoint";
}

RestartPolicy::Decision RestartPolicy::decide(const Judgement& judgement, Index step,
                                              const NewestCheckpoint& checkpoint, double now_s) {
  if (limits_.restarts == 0) return {0, "launch.restarts is 0"};
  const Failure failure{judgement.verdict, judgement.code, judgement.rank, step};
  const bool is_error = failure.verdict == Verdict::kError;
  const bool gained = last_ && checkpoint > newest_;
  const bool is_alike = !gained && last_ && last_->verdict == failure.verdict && last_->code == failure.code;
  newest_ = std::max(newest_, checkpoint);
  in_vain_ = gained ? 1 : in_vain_ + 1;
  same_ = !gained && is_same_failure(failure, judgement.is_of_start) ? same_ + 1 : 1;
  errors_ = !is_error ? 0 : is_alike ? errors_ + 1 : 1;
  last_ = failure;
  if (const std::string why = why_not(is_error ? kErrorRepeats : limits_.repeats); !why.empty())
    return {0, why};
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
