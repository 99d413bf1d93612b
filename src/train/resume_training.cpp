// SPDX-License-Identifier: Apache-2.0
#include "train/resume_training.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <sstream>
#include <vector>

#include "comm/agreement.h"
#include "lockstep/core/error.h"
#include "train/checkpoint.h"
#include "train/checkpoint_reader.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> names_of_rank_0(Communicator& communicator, const RunDirectory* directory) {
  const std::string mine = directory == nullptr ? "" : fmt::format("{}", fmt::join(directory->kept(), "\n"));
  std::istringstream lines(all_gather(communicator, mine)[0]);
  std::vector<std::string> names;
  for (std::string name; std::getline(lines, name);) names.push_back(name);
  return names;
}

// Collective. What the first rank in trouble says of it, or "". Only damage counts; all else is an error.
template <class Work>
std::string damage_found(Communicator& communicator, const Work& work) {
  std::string damage;
  std::exception_ptr other;
  try {
    work();
  } catch (const Error& error) {
    if (error.code() == ExitCode::kData)
      damage = error.what();
    else
      other = std::current_exception();
  } catch (...) {
    other = std::current_exception();
  }
  rethrow_first_error(communicator, other);
  for (const std::string& text : all_gather(communicator, damage))
    if (!text.empty()) return text;
  return "";
}

// Collective. "" where the trainer has it.
std::string try_checkpoint(Communicator& communicator, const fs::path& folder, Trainer& trainer) {
  std::unique_ptr<CheckpointReader> reader;
  RunState state;
  std::string damage = damage_found(communicator, [&] {
    reader = std::make_unique<CheckpointReader>(folder);
    state = parse_run_state(reader->manifest().state);
  });
  if (!damage.empty()) return damage;
  require_agreement(communicator, folder.filename().string(), reader->manifest().checksum);
  on_all_ranks(communicator, [&] { trainer.require_same_experiment(state); });
  return damage_found(communicator, [&] { trainer.resume(state, *reader); });
}

void refuse_earlier_format(const fs::path& folder) {
  if (!fs::is_directory(folder)) return;
  for (const auto& entry : fs::directory_iterator(folder))
    if (const std::string name = entry.path().filename().string();
        name.starts_with("step-") && name.ends_with(".safetensors"))
      throw Error(ExitCode::kData,
                  entry.path().string() +
                      ": is a checkpoint of an earlier version of this program, which cannot be "
                      "read any more; without it the run would begin anew");
}

}  // namespace

void resume_training(Communicator& communicator, const fs::path& run, RunDirectory* directory,
                     Trainer& trainer, const std::function<void(const std::string&)>& tell) {
  const std::vector<std::string> names = names_of_rank_0(communicator, directory);
  std::vector<std::string> rejected, lines;
  std::string found;
  for (const std::string& name : names) {
    const std::string damage = try_checkpoint(communicator, run / "checkpoints" / name, trainer);
    if (damage.empty()) {
      found = name;
      break;
    }
    rejected.push_back(name);
    lines.push_back(damage);
  }
  if (found.empty() && !names.empty())
    throw AgreedError(ExitCode::kData, fmt::format("{}: has no checkpoint to resume from\n  {}", run.string(),
                                                   fmt::join(lines, "\n  ")));
  on_all_ranks(communicator, [&] {
    if (directory == nullptr) return;
    if (found.empty()) refuse_earlier_format(directory->checkpoints());
    for (std::size_t i = 0; i < rejected.size(); ++i)
      tell(fmt::format("warning: passed over {}: {}", rejected[i], lines[i]));
    directory->reject(rejected);
    tell(found.empty()
             ? "no checkpoint yet: begins anew"
             : fmt::format("resumes from {} at step {} of {}", found, trainer.step(), trainer.total_steps()));
    directory->drop_metrics_after(trainer.step());
  });
}

}  // namespace lockstep
