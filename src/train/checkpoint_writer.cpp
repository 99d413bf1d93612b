// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint_writer.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <utility>

#include "comm/node_communicator.h"
#include "core/atomic_file.h"
#include "core/clock.h"
#include "lockstep/core/error.h"
#include "train/checkpoint.h"
#include "train/part_file.h"

namespace lockstep {

namespace fs = std::filesystem;

namespace {

std::vector<Slice> gather_slices(Communicator& communicator, const Slice& mine) {
  std::vector<Slice> slices(static_cast<std::size_t>(communicator.size()));
  all_gather(communicator, &mine, sizeof mine, slices.data());
  return slices;
}

template <std::size_t kSize>
void copy_text(const std::string& text, std::array<char, kSize>& out) {
  out.fill(0);
  text.copy(out.data(), kSize - 1);
}

// Signals are for the threads that train.
template <class Work>
std::thread start_without_signals(const Work& work) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(work);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

void check(int result, const fs::path& path, const char* action) {
  if (result != 0)
    throw Error(ExitCode::kIo, path.string() + ": " + action + " failed: " + std::strerror(errno));
}

}  // namespace

CheckpointWriter::CheckpointWriter(Communicator& communicator, const Slice& mine,
                                   const RunDirectory* directory, CheckpointSettings settings)
    : communicator_(communicator),
      directory_(directory),
      settings_(std::move(settings)),
      checkpoints_(
          all_gather(communicator, directory == nullptr ? "" : directory->checkpoints().string())[0]),
      plan_(gather_slices(communicator, mine), agree_on_writers(settings_)) {
  if (directory != nullptr) generation_ = directory->generation();
  broadcast(communicator, &generation_, sizeof generation_);
  if (writes()) thread_ = start_without_signals([this] { run(); });
}

// Collective. Fills in reports_ on the ranks that write.
int CheckpointWriter::agree_on_writers(const CheckpointSettings& settings) {
  int writers = std::min(settings.node_ranks, communicator_.size());
  if (communicator_.rank() < writers && writers > 1) {
    NodeCommunicator group(communicator_, 0, writers);
    std::string why_not;
    reports_ =
        communicator_.share_memory(group, static_cast<std::size_t>(writers) * sizeof(Report), {}, why_not);
  }
  if (!reports_) writers = 1;
  broadcast(communicator_, &writers, sizeof writers);
  if (writers == 1 && communicator_.rank() == 0) {
    reports_ =
        std::shared_ptr<std::byte>(reinterpret_cast<std::byte*>(new Report{}),  // NOLINT: owned at once
                                   [](std::byte* r) { delete reinterpret_cast<Report*>(r); });
  }
  return writers;
}

CheckpointWriter::~CheckpointWriter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    is_cancelled_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

fs::path CheckpointWriter::folder() const {
  return checkpoint_path(checkpoints_, {content_.step, generation_});
}

void CheckpointWriter::reserve(const std::vector<CheckpointSource>& sources) {
  if (!writes()) return;
  const std::vector<CheckpointPiece> pieces = plan_.pieces(communicator_.rank(), sources);
  const Index floats = std::accumulate(pieces.begin(), pieces.end(), Index{0},
                                       [](Index sum, const auto& p) { return sum + p.end - p.begin; });
  if (static_cast<std::size_t>(floats) <= staging_.size()) return;
  constexpr Index kSpare = 4096;                                                 // lazy.window grows a little
  LargeVector<float>(static_cast<std::size_t>(floats + kSpare)).swap(staging_);  // zeros: the pages are there
}

void CheckpointWriter::begin(const CheckpointContent& content) {
  LOCKSTEP_CHECK(!is_writing());
  begin_s_ = now_seconds();
  reserve(content.sources);
  fill_staging(content.sources);
  content_ = content;
  if (!writes()) return;
  const std::lock_guard lock(mutex_);
  ++number_;
  is_writing_.store(true, std::memory_order_release);
  changed_.notify_all();
}

// Slices of other ranks arrive where they are written from.
void CheckpointWriter::fill_staging(const std::vector<CheckpointSource>& sources) {
  const int rank = communicator_.rank(), writer = plan_.writer_of(rank);
  std::vector<Send> sends;
  std::vector<Receive> receives;
  float* out = staging_.data();
  for (const CheckpointSource& source : sources) {
    const Slice mine = plan_.slice(rank);
    if (source.is_in_slices && writer >= 0 && writer != rank)
      sends.push_back({writer, source.data, static_cast<std::size_t>(mine.end - mine.begin) * sizeof(float)});
    if (!writes()) continue;
    if (!source.is_in_slices) {
      const Slice share = plan_.share(source.vector.size, rank);
      out = std::copy(source.data + share.begin, source.data + share.end, out);
      continue;
    }
    for (const int owner : plan_.owners(rank)) {
      const Index count = plan_.slice(owner).end - plan_.slice(owner).begin;
      if (owner == rank)
        std::copy_n(source.data, count, out);
      else
        receives.push_back({owner, out, static_cast<std::size_t>(count) * sizeof(float)});
      out += count;
    }
  }
  if (!sends.empty() || !receives.empty()) communicator_.exchange(sends, receives);
}

void CheckpointWriter::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !is_writing(); });
}

std::optional<CheckpointResult> CheckpointWriter::take_result() {
  if (is_writing()) return std::nullopt;
  return std::exchange(result_, std::nullopt);
}

void CheckpointWriter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ends_ || is_writing(); });
    if (!is_writing()) return;
    lock.unlock();
    write_mine();
    if (communicator_.rank() == 0) finish();
    lock.lock();
    is_writing_.store(false, std::memory_order_release);
    changed_.notify_all();
  }
}

void CheckpointWriter::write_mine() {
  CheckpointPart part;
  std::string trouble;
  try {
    write_part_of(part);
  } catch (const std::exception& error) {
    trouble = error.what();
    if (trouble.empty()) trouble = "unknown";
  }
  Report& mine = report(communicator_.rank());
  copy_text(part.hash, mine.hash);
  copy_text(trouble, mine.trouble);
  mine.number.store(number_, std::memory_order_release);
}

void CheckpointWriter::write_part_of(CheckpointPart& part) {
  const int rank = communicator_.rank();
  const fs::path path = folder() / part_name(static_cast<std::size_t>(rank));
  if (settings_.files->make_folder(folder().string()) != 0 && errno != EEXIST)
    check(-1, folder(), "making the folder");
  part.pieces = plan_.pieces(rank, content_.sources);
  part.hash = write_part(*settings_.files, path, staging_.data(),
                         part.data_bytes() / static_cast<Index>(sizeof(float)), is_cancelled_);
  if (!settings_.verifies) return;
  PartReader reader(path, part);
  reader.forget();
  reader.verify();
}

// Polls: the others may be other processes. A rank that died takes this one with it.
void CheckpointWriter::wait_for_others(std::string& trouble) const {
  const double start = now_seconds();
  for (int writer = 0; writer < plan_.writers(); ++writer) {
    const Report& theirs = report(writer);
    while (theirs.number.load(std::memory_order_acquire) != number_) {
      if (is_cancelled_ || now_seconds() - start > communicator_.timeout_s()) {
        trouble = "rank " + std::to_string(writer) + " did not write its part in time";
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (trouble.empty()) trouble = theirs.trouble.data();
  }
}

// On rank 0.
void CheckpointWriter::finish() {
  CheckpointResult result;
  result.step = content_.step;
  wait_for_others(result.trouble);
  try {
    if (result.trouble.empty()) publish();
  } catch (const Error& error) {
    result.trouble = error.what();
    result.is_taken_over = error.code() == ExitCode::kStopped;
  } catch (const std::exception& error) {
    result.trouble = error.what();
  }
  try {
    if (!result.trouble.empty())
      remove_checkpoint(folder(), *settings_.files);
    else
      remove_old_checkpoints(directory_->path(), settings_.keep, *settings_.files);
  } catch (
      const std::exception& error) {  // a folder that cannot be listed for now: the next one removes them
    std::fprintf(stderr, "lockstep: warning: old checkpoints stay: %s\n", error.what());
  }
  for (int writer = 0; writer < plan_.writers(); ++writer)
    for (const CheckpointPiece& piece : plan_.pieces(writer, content_.sources))
      result.bytes += (piece.end - piece.begin) * static_cast<Index>(sizeof(float));
  result.seconds = now_seconds() - begin_s_;
  result_ = result;
}

// The parts are on the disk, but their names need not be.
void CheckpointWriter::publish() {
  CheckpointManifest manifest{content_.is_milestone, content_.state, settings_.config, {}, {}, ""};
  for (const CheckpointSource& source : content_.sources) manifest.vectors.push_back(source.vector);
  for (int writer = 0; writer < plan_.writers(); ++writer)
    manifest.parts.push_back({report(writer).hash.data(), plan_.pieces(writer, content_.sources)});
  FileSystem& files = *settings_.files;
  check(files.sync_folder(folder().string()), folder(), "syncing the folder");
  AtomicFile file(folder() / "manifest.json", files);
  file.write(manifest_text(manifest));
  file.sync();
  directory_->require_own_generation();
  file.commit();
  check(files.sync_folder(checkpoints_.string()), checkpoints_, "syncing the folder");
}

}  // namespace lockstep
