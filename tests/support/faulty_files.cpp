// SPDX-License-Identifier: Apache-2.0
#include "support/faulty_files.h"

namespace lockstep::testing {

namespace fs = std::filesystem;

bool FaultyFiles::fails() {
  const long call = calls_++;
  if (crashes_at_ >= 0 && call >= crashes_at_) {
    errno = EIO;
    return true;
  }
  errno = reason_;
  return call == fails_at_;
}

// Another name for a file that is about to lose its own.
std::string FaultyFiles::keep(const std::string& path) {
  if (!fs::exists(path)) return "";
  const std::string name = kept_.path() / std::to_string(calls_);
  fs::create_hard_link(path, name);
  return name;
}

void FaultyFiles::note(const std::string& path, std::function<void()> undo) {
  changes_.push_back({fs::path(path).parent_path().string(), std::move(undo)});
}

void FaultyFiles::take_back(Loss loss) {
  for (const auto& [path, size] : synced_)
    if (fs::exists(path) && fs::file_size(path) > size) fs::resize_file(path, size);
  if (loss == Loss::kContents) return;
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) change->undo();
}

int FaultyFiles::create(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (fails()) return -1;
  const int descriptor = machine_files().create(path);
  if (descriptor < 0) return -1;
  open_[descriptor] = path;
  synced_[path] = 0;
  note(path, [path] { fs::remove(path); });
  return descriptor;
}

ssize_t FaultyFiles::write(int descriptor, const void* data, std::size_t size) {
  const std::lock_guard lock(mutex_);
  if (fails()) {
    if (errno != ENOSPC || size <= 1) return -1;
    fails_at_ = calls_;  // the rest finds none
    size = size >= 2 * kDirectUnit ? size / 2 / kDirectUnit * kDirectUnit : size / 2;
  }
  const ssize_t written = machine_files().write(descriptor, data, size);
  if (written > 0 && direct_.contains(descriptor)) direct_bytes_ += static_cast<std::size_t>(written);
  return written;
}

int FaultyFiles::set_direct(int descriptor, bool is_direct) {
  const std::lock_guard lock(mutex_);
  if (fails() || machine_files().set_direct(descriptor, is_direct) != 0) return -1;
  if (is_direct)
    direct_.insert(descriptor);
  else
    direct_.erase(descriptor);
  return 0;
}

int FaultyFiles::rewind(int descriptor) {
  const std::lock_guard lock(mutex_);
  return fails() ? -1 : machine_files().rewind(descriptor);
}

int FaultyFiles::sync(int descriptor) {
  const std::lock_guard lock(mutex_);
  if (fails()) return -1;
  synced_[open_[descriptor]] = fs::file_size(open_[descriptor]);
  return 0;
}

// The descriptor is gone even where the call fails.
int FaultyFiles::close(int descriptor) {
  const std::lock_guard lock(mutex_);
  open_.erase(descriptor);
  direct_.erase(descriptor);
  const int result = machine_files().close(descriptor);
  return fails() ? -1 : result;
}

int FaultyFiles::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (fails()) return -1;
  const std::string before = keep(to);
  if (machine_files().rename(from, to) != 0) return -1;
  synced_[to] = synced_[from];
  synced_.erase(from);
  note(to, [from, to, before] {
    fs::rename(to, from);
    if (!before.empty()) fs::rename(before, to);
  });
  return 0;
}

int FaultyFiles::remove_file(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (fails()) return -1;
  const std::string before = keep(path);
  if (machine_files().remove_file(path) != 0) return -1;
  note(path, [path, before] { fs::rename(before, path); });
  return 0;
}

int FaultyFiles::make_folder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (fails() || machine_files().make_folder(path) != 0) return -1;
  note(path, [path] { fs::remove_all(path); });
  return 0;
}

int FaultyFiles::remove_folder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (fails() || machine_files().remove_folder(path) != 0) return -1;
  note(path, [path] { fs::create_directory(path); });
  return 0;
}

int FaultyFiles::sync_folder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (fails()) return -1;
  std::erase_if(changes_, [&](const Change& change) { return change.folder == path; });
  return 0;
}

}  // namespace lockstep::testing
