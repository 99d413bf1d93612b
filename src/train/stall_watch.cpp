// SPDX-License-Identifier: Apache-2.0
#include "train/stall_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace lockstep {

namespace {

constexpr double kSteps = 20;  // that a node may stand still
constexpr double kWarnShare = 1.0 / 3;
constexpr double kAfterTimeout_s = 5;  // for ranks whose wait has ended by itself to say so
constexpr double kTicksWithoutBeat = 4;
constexpr double kLeastWithoutBeat_s = 0.5;
constexpr std::size_t kRing = 63;

std::string list_of(const std::vector<WatchedRank>& node, const std::vector<std::size_t>& chosen) {
  std::string text;
  for (const std::size_t index : chosen)
    text += fmt::format("{}rank {} on {}, process {}", text.empty() ? "" : "; ", node[index].rank,
                        node[index].host, node[index].process);
  return text;
}

}  // namespace

StallWatch::StallWatch(const StallRules& rules, std::vector<WatchedRank> node, int own)
    : rules_(rules), node_(std::move(node)), own_(static_cast<std::size_t>(own)), seen_(node_.size()) {
  step_s_.reserve(kRing);
  sorted_.reserve(kRing);
}

StallWatch::Verdict StallWatch::observe(double now_s) {
  if (last_s_ >= 0) awake_s_ += std::clamp(now_s - last_s_, 0.0, 2 * rules_.tick_s);
  last_s_ = now_s;
  double moved_s = 0;
  limit_s_ = 0;
  for (std::size_t i = 0; i < node_.size(); ++i) {
    see(i);
    moved_s = std::max(moved_s, seen_[i].moved_s);
    limit_s_ = std::max(limit_s_, limit_of(seen_[i].now.phase));
  }
  if (rules_.stall_s <= 0 || has_ended_) return Verdict::kFine;
  const double still_s = awake_s_ - moved_s;
  if (has_warned_ && still_s < still_s_) {
    has_warned_ = false;
    return Verdict::kGoesOn;  // still_s_ tells how long it was
  }
  still_s_ = still_s;
  if (still_s_ > limit_s_) {
    has_ended_ = true;
    return Verdict::kStalled;
  }
  if (has_warned_ || still_s_ <= kWarnShare * limit_s_) return Verdict::kFine;
  has_warned_ = true;
  return Verdict::kWarn;
}

void StallWatch::see(std::size_t index) {
  Seen& seen = seen_[index];
  const RankRecord::Reading before = std::exchange(seen.now, node_[index].record->read());
  if (seen.now.beats != before.beats) seen.beat_s = awake_s_;
  const bool has_moved = seen.now.moves != before.moves;
  if (has_moved) seen.moved_s = awake_s_;
  if (seen.now.step != before.step) {
    if (index == own_ && before.step > 0 && seen.now.step > before.step)
      take_step(seen.now.step - before.step, awake_s_ - seen.step_began_s);
    seen.step_began_s = awake_s_;
    seen.computed_s = 0;
  }
  if (has_moved && seen.now.phase == RankPhase::kCompute) seen.computed_s = awake_s_ - seen.step_began_s;
}

void StallWatch::take_step(std::int64_t steps, double seconds) {
  const double each = seconds / static_cast<double>(steps);
  if (step_s_.size() < kRing)
    step_s_.push_back(each);
  else
    step_s_[steps_ % kRing] = each;
  ++steps_;
  sorted_.assign(step_s_.begin(), step_s_.end());
  std::nth_element(sorted_.begin(), sorted_.begin() + static_cast<std::ptrdiff_t>(sorted_.size() / 2),
                   sorted_.end());
}

double StallWatch::median_step_s() const {
  return sorted_.empty() ? 0 : sorted_[sorted_.size() / 2];
}

double StallWatch::limit_of(RankPhase phase) const {
  if (phase == RankPhase::kFinalize) return rules_.stall_s;
  if (!is_of_step(phase)) return std::max(rules_.stall_s, rules_.timeout_s + kAfterTimeout_s);
  double step_s = median_step_s();
  for (const Seen& seen : seen_) step_s = std::max(step_s, seen.computed_s);
  return std::max(rules_.stall_s, kSteps * step_s);
}

bool StallWatch::runs(std::size_t index) const {
  return index == own_ ||
         awake_s_ - seen_[index].beat_s < std::max(kTicksWithoutBeat * rules_.tick_s, kLeastWithoutBeat_s);
}

bool StallWatch::speaks() const {
  for (std::size_t i = 0; i < own_; ++i)
    if (runs(i)) return false;
  return true;
}

// Whoever is not like the others is late: by whether it runs, by step, by phase, by whether it waits.
StallWatch::Culprits StallWatch::find_culprits() const {
  std::vector<std::size_t> all(node_.size()), chosen;
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  const auto choose = [&](const std::function<bool(const Seen&)>& is_late) {
    chosen.clear();
    for (const std::size_t i : all)
      if (is_late(seen_[i])) chosen.push_back(i);
    return !chosen.empty() && chosen.size() < all.size();
  };
  for (const std::size_t i : all)
    if (!runs(i)) chosen.push_back(i);
  if (!chosen.empty()) return {chosen, "does not run: stopped, or ended"};
  const auto least = std::min_element(seen_.begin(), seen_.end(), [](const Seen& a, const Seen& b) {
                       return std::pair(a.now.step, a.now.phase) < std::pair(b.now.step, b.now.phase);
                     })->now;
  if (choose([&](const Seen& seen) { return seen.now.step == least.step; }))
    return {chosen, fmt::format("is at step {}, others are ahead", least.step)};
  if (choose([&](const Seen& seen) { return seen.now.phase == least.phase; }))
    return {chosen, fmt::format("is in {}, others are ahead", name_of(least.phase))};
  if (choose([&](const Seen& seen) { return seen.now.waits_for < 0; }))
    return {chosen, "waits for nobody, and others wait"};
  if (node_.size() == 1 && seen_[0].now.waits_for < 0)
    return {all, fmt::format("stands in {}", name_of(least.phase))};
  return {};
}

std::string StallWatch::blame(const std::vector<std::string>& hosts) const {
  const auto [ranks, reason] = find_culprits();
  if (!ranks.empty()) return fmt::format("late: {}: {}", list_of(node_, ranks), reason);
  const int awaited = seen_[0].now.waits_for;
  if (awaited < 0 || static_cast<std::size_t>(awaited) >= hosts.size())
    return fmt::format("late: none of this node: all are in {}", name_of(seen_[0].now.phase));
  return fmt::format("late: none of this node: all wait; rank {} for rank {} on {}: that one, or the network",
                     node_[0].rank, awaited, hosts[static_cast<std::size_t>(awaited)]);
}

std::string StallWatch::table() const {
  std::string text = fmt::format("{:>6}  {:<20} {:>8}  {:<10} {:>10} {:>9}  {:>9}  {}\n", "rank", "host",
                                 "process", "phase", "step", "for", "waits for", "bytes of messages");
  for (std::size_t i = 0; i < node_.size(); ++i) {
    const RankRecord::Reading& now = seen_[i].now;
    text += fmt::format("{:>6}  {:<20} {:>8}  {:<10} {:>10} {:>7.1f} s  {:>9}  {} of {}{}\n", node_[i].rank,
                        node_[i].host, node_[i].process, name_of(now.phase), now.step,
                        awake_s_ - seen_[i].moved_s,
                        now.waits_for < 0 ? "" : fmt::format("rank {}", now.waits_for), now.finished,
                        now.expected, runs(i) ? "" : "  does not run");
  }
  return text;
}

}  // namespace lockstep
