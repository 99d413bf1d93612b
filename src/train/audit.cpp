// SPDX-License-Identifier: Apache-2.0
#include "train/audit.h"

#include <fmt/format.h>

#include <algorithm>

#include "comm/agreement.h"
#include "core/philox.h"

namespace lockstep {

namespace {

int host_of(int shard, int shards, int ranks) {
  int rank = 0;
  while (hosted_shards(rank, ranks, shards).last <= shard) ++rank;
  return rank;
}

Index most_rows_of_shard(const Dataset& dataset, Index batch) {
  return (std::min(batch, dataset.info().rows) + dataset.shards() - 1) / dataset.shards();
}

}  // namespace

Audit::Audit(const Options& options, const AuditContext& context)
    : context_(context),
      seed_(static_cast<std::uint64_t>(options.integer("run.seed"))),
      every_(options.integer("train.audit")),
      rows_(context.dataset, context.sampler),
      computer_(context.model, most_rows_of_shard(context.dataset, context.batch), context.sparse != nullptr),
      records_(static_cast<std::size_t>(context.communicator.size())) {
  if (context.sparse != nullptr) entries_.emplace(context.dataset);
  peers_.reserve(2);
}

Audit::Choice Audit::choose(std::uint64_t seed, Index every, Index step, const BatchWindow& window,
                            int shards, int ranks) {
  Choice choice;
  const Philox random(seed, Purpose::kAudit);
  const auto draw = [&](std::uint64_t what, Index bound) {
    return static_cast<Index>(
        random.below(static_cast<std::uint64_t>(step / every) * 4 + what, static_cast<std::uint64_t>(bound)));
  };
  if (step % every != draw(0, every) || window.first == window.last) return choice;
  const Index with_rows = std::min<Index>(shards, window.last - window.first);
  choice.shard = static_cast<int>((window.first + draw(1, with_rows)) % shards);
  choice.host = choice.auditor = host_of(choice.shard, shards, ranks);
  if (ranks == 1) return choice;
  choice.auditor = static_cast<int>((choice.host + 1 + draw(2, ranks - 1)) % ranks);
  if (ranks == 2) return choice;
  choice.third = static_cast<int>(draw(3, ranks - 2));
  for (const int taken : {std::min(choice.host, choice.auditor), std::max(choice.host, choice.auditor)})
    if (choice.third >= taken) ++choice.third;
  return choice;
}

// The weights that the rows of this step are computed with, of all features.
const float* Audit::current_weights() const {
  return context_.sparse == nullptr ? weights_ : context_.sparse->settled(context_.free_weights);
}

// On the host, and on all `receivers`, to which its rows go.
std::uint64_t Audit::compute(const std::vector<int>& receivers, bool computes_here) {
  const int rank = context_.communicator.rank();
  const bool receives = std::find(receivers.begin(), receivers.end(), rank) != receivers.end();
  if (rank != choice_.host && !receives) return 0;
  rows_.begin(choice_.shard, window_);
  if (rank == choice_.host) {
    rows_.gather(entries_ ? *entries_ : context_.gradient_step.buffer());
    rows_.send(context_.communicator, receivers);
    if (!computes_here) return 0;
  } else {
    rows_.receive(context_.communicator, choice_.host);
  }
  return computer_.compute(rows_, current_weights()).hash;
}

void Audit::begin(const BatchWindow& window, Index step, const float* weights) {
  const int ranks = context_.communicator.size();
  choice_ = choose(seed_, every_, step, window, context_.dataset.shards(), ranks);
  context_.gradient_step.watch_shard(choice_.shard);
  if (!is_on()) return;
  window_ = window;
  step_ = step;
  weights_ = weights;
  mine_ = {};
  peers_.clear();
  if (ranks > 1) peers_.push_back(choice_.auditor);
  const std::uint64_t hash = compute(peers_, ranks == 1);
  if (context_.communicator.rank() == choice_.auditor) mine_.audited = hash;
}

std::optional<Verdict> Audit::finish() {
  Communicator& communicator = context_.communicator;
  if (communicator.rank() == choice_.host) mine_.first = context_.gradient_step.watched_hash();
  all_gather(communicator, &mine_, sizeof mine_, records_.data());
  if (of(choice_.host).first == of(choice_.auditor).audited) return {};
  peers_.clear();
  if (choice_.auditor != choice_.host) peers_.push_back(choice_.auditor);
  if (choice_.third >= 0) peers_.push_back(choice_.third);
  mine_.again = compute(peers_, true);
  all_gather(communicator, &mine_, sizeof mine_, records_.data());
  return judge();
}

Verdict Audit::judge() {
  const std::uint64_t used = of(choice_.host).first, audited = of(choice_.auditor).audited;
  std::vector<std::uint64_t> found = {used, audited, of(choice_.host).again};
  for (const int peer : peers_) found.push_back(of(peer).again);
  const auto votes = [&](std::uint64_t hash) { return 2 * std::count(found.begin(), found.end(), hash); };
  const auto all = static_cast<std::ptrdiff_t>(found.size());
  Verdict verdict;
  if (votes(audited) > all)
    verdict.ranks = {choice_.host};
  else if (votes(used) > all)
    verdict.ranks = {choice_.auditor};
  else
    verdict.ranks = {std::min(choice_.host, choice_.auditor), std::max(choice_.host, choice_.auditor)};
  if (verdict.ranks.size() == 2 && verdict.ranks[0] == verdict.ranks[1]) verdict.ranks.pop_back();
  const bool is_known = votes(audited) > all || votes(used) > all;
  const int wrong = verdict.ranks[0];
  const bool came_and_went = is_known && of(wrong).again == (wrong == choice_.host ? audited : used);
  verdict.text = fmt::format(
      "the gradient of shard {} in step {} is {:016x} on the rank that hosts it and {:016x} computed again; "
      "{}: {}{}",
      choice_.shard, step_ + 1, used, audited,
      is_known ? "most who computed it say that wrong is" : "nobody knows which is right",
      describe_ranks(context_.communicator, verdict.ranks),
      came_and_went ? ", which had it right when it tried again" : "");
  return verdict;
}

}  // namespace lockstep
