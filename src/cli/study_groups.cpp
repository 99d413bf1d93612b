// SPDX-License-Identifier: Apache-2.0
#include "cli/study_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "cli/study_directory.h"
#include "comm/agreement.h"
#include "comm/node_communicator.h"
#include "core/atomic_file.h"
#include "core/printable.h"
#include "lockstep/core/error.h"
#include "train/training_run.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

// One that cannot be run is said and left; the others go on.
int train_member(const StudyMember& member, const fs::path& run, const Plugins& plugins,
                 Communicator& group) {
  TrainingRequest request;
  request.directory = run;
  request.is_launched = true;
  char is_begun = fs::exists(run / "config.toml") ? 1 : 0;
  broadcast(group, &is_begun, sizeof is_begun);
  request.resumes = is_begun != 0;
  request.overwrites = is_begun == 0;
  try {
    return train_run(member.options, plugins, group, request).exit_code;
  } catch (const AgreedError& error) {
    if (group.rank() == 0) fmt::print(stderr, "{}: {}\n", member.name, printable(error.what()));
    return static_cast<int>(error.code());
  }
}

// Others may need hours longer, which no wait for a message may.
void wait_for_groups(const fs::path& folder, int ranks, int groups) {
  for (int group = 0; group < groups; ++group)
    while (!fs::exists(folder / fmt::format("ended-{}-{}", ranks, group)))
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

}  // namespace

GroupMembers deal_members(const Study& study, int ranks, int groups) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < study.plan.members.size(); ++i)
    if (study.plan.members[i].ranks == ranks && !study.results[i].has_ended()) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return study.plan.members[a].batch < study.plan.members[b].batch;
  });
  GroupMembers dealt(static_cast<std::size_t>(groups));
  for (std::size_t i = 0; i < order.size(); ++i) dealt[i % dealt.size()].push_back(order[i]);
  return dealt;
}

bool train_in_groups(Study& study, const fs::path& folder, const Plugins& plugins,
                     Communicator& communicator) {
  std::set<int, std::greater<>> numbers;
  for (const StudyMember& member : study.plan.members) numbers.insert(member.ranks);
  if (*numbers.begin() > communicator.size())
    throw AgreedError(ExitCode::kConfig, fmt::format("a member of the study wants {} ranks; this job has {}",
                                                     *numbers.begin(), communicator.size()));
  const fs::path marks = folder / "logs";
  char was_stopped = 0;
  for (const int ranks : numbers) {
    const int groups = communicator.size() / ranks, mine = communicator.rank() / ranks;
    on_all_ranks(communicator, [&] {
      if (communicator.rank() != 0) return;
      for (int group = 0; group < groups; ++group)
        fs::remove(marks / fmt::format("ended-{}-{}", ranks, group));
    });
    if (mine < groups) {
      NodeCommunicator group(communicator, mine * ranks, ranks);
      const GroupMembers dealt = deal_members(study, ranks, groups);
      for (const std::size_t number : dealt[static_cast<std::size_t>(mine)]) {
        const StudyMember& member = study.plan.members[number];
        const int code = train_member(member, folder / member_path(member), plugins, group);
        was_stopped = code == static_cast<int>(ExitCode::kStopped) ? 1 : 0;
        if (was_stopped != 0) break;
      }
      if (group.rank() == 0) write_file_atomically(marks / fmt::format("ended-{}-{}", ranks, mine), "");
    }
    wait_for_groups(marks, ranks, groups);
    std::vector<char> all(static_cast<std::size_t>(communicator.size()));
    all_gather(communicator, &was_stopped, sizeof was_stopped, all.data());
    if (std::find(all.begin(), all.end(), 1) != all.end()) return false;
  }
  return true;
}

}  // namespace lockstep
