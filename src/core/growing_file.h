// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace lockstep {

/// A text file that grows at its end. What it does not take for now, as on a full disk, waits in memory and
/// is written before all that comes later: no line is lost, torn or out of order while the process lives.
class GrowingFile {
 public:
  GrowingFile() = default;
  /// Writes what waits, and says so on stderr where it cannot.
  ~GrowingFile();
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  /// Created where it is not there. Throws Error(kOutput).
  void open(std::filesystem::path path);
  void close();

  /// Throws Error(kIo) once a megabyte waits.
  void append(const std::string& text);
  /// Throws Error(kIo) where what waits cannot be written.
  void flush();
  /// Why something waits; "" where nothing does.
  const std::string& trouble() const { return trouble_; }

 private:
  void write();
  [[noreturn]] void fail() const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::string waiting_;
  std::string trouble_;
};

}  // namespace lockstep
