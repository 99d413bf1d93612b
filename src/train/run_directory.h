// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/growing_file.h"
#include "train/generation.h"

namespace lockstep {

/// The folder of one run: config.toml, metrics.jsonl, summary.json, log.txt, model.safetensors, checkpoints/.
/// Held by rank 0 alone; a lock keeps a second run out while it lives. Where the lock does not reach, on
/// another host of a network file system, the generation does: whoever takes the directory over has the next
/// number.
class RunDirectory {
 public:
  enum class Mode { kNew, kOverwrite, kResume };

  /// Creates `path`, or opens it to resume. Throws Error(kOutput) where it cannot be written, is in use, or
  /// holds something and mode is kNew.
  RunDirectory(std::filesystem::path path, Mode mode);

  /// A fresh name under `root`: "2026-01-31-235959-name".
  static std::filesystem::path fresh_path(const std::filesystem::path& root, const std::string& name);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }

  /// The number of this start, from 1 (generation.json).
  std::int64_t generation() const { return generation_.number; }
  /// The checkpoints to resume from, newest first: those of the generations before that counted.
  const std::vector<std::string>& kept() const { return generation_.kept; }
  /// These are damaged: they count no more, and the next start deletes them.
  void reject(const std::vector<std::string>& names);
  /// What is to be said of how the directory was found; "": nothing.
  const std::string& note() const { return note_; }
  /// Before anything is published. Throws Error(kStopped) if a later start has taken the directory over.
  void require_own_generation() const;
  /// Writes a file atomically, if the directory is still this run's.
  void publish(const std::string& name, const std::string& content) const;

  /// Appends one line to metrics.jsonl. On a full disk it waits, with a warning; Error(kIo) once a megabyte
  /// does. append_log() is alike.
  void append_metrics(const std::string& json);
  /// Who is told of every line that is appended from now on.
  void tell_metrics_to(std::function<void(const std::string&)> listener) { listener_ = std::move(listener); }
  /// Removes the lines of metrics.jsonl behind this step, and a last one that was cut off: a resumed run
  /// makes them again.
  void drop_metrics_after(std::int64_t step);
  /// Appends one line, with the time of day, to log.txt.
  void append_log(const std::string& line);
  /// At the end. Throws Error(kIo) where lines that wait cannot be written.
  void flush();

 private:
  void lock();
  void add_note(const std::string& text);
  void append(GrowingFile& to, const char* name, const std::string& text) const;
  void refuse_links() const;
  void begin_generation(Mode mode);
  void refuse_foreign_files() const;
  void remove_old_run() const;
  void remove_unfinished_files() const;

  /// An open file that holds the lock, and closes however construction ends.
  struct Lock {
    Lock() = default;
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    int descriptor = -1;
  };

  std::filesystem::path path_;
  Lock lock_;
  Generation generation_;
  std::string note_;
  GrowingFile metrics_;
  GrowingFile log_;
  std::function<void(const std::string&)> listener_;
};

/// Whether there is more in it than locks, and what a launcher keeps there before there is a run.
bool holds_something(const std::filesystem::path& folder);

/// As a line of log.txt: with the time before it.
std::string log_line(const std::string& text);

/// Whether `run` holds a model and the summary of a run that was not stopped.
bool is_finished_run(const std::filesystem::path& run);

}  // namespace lockstep
