// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace [[gnu::visibility("default")]] lockstep {

/// What a process ends with. They follow sysexits.h where it has a code.
enum class ExitCode {
  kOk = 0,
  kUsage = 64,
  kData = 65,      ///< data missing, unreadable or malformed
  kHosts = 69,     ///< too few hosts, too little memory, or an older processor
  kInternal = 70,  ///< a broken assumption of ours
  kOutput = 73,    ///< cannot write output
  kIo = 74,        ///< I/O error while running
  kStopped = 75,   ///< stopped or failed, resumable
  kDisagree = 76,  ///< ranks or runs disagree
  kConfig = 78,
  kDiverged = 79,
};

/// Wrong input or a failed environment: what happened, where, and what was expected. Shown once to the user
/// as it is, so the text is a whole sentence without a rank prefix.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// An Error that all ranks throw alike, at the same place. They may all end on their own, and one shows it.
class AgreedError : public Error {
 public:
  using Error::Error;
};

/// Throws an Error(kInternal) that names the failed condition.
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const std::string& values);

}  // namespace lockstep

/// A broken assumption of ours, with both operands in the message.
#define LOCKSTEP_CHECK_OP(a, op, b)                                                  \
  do {                                                                               \
    if (!((a)op(b)))                                                                 \
      ::lockstep::check_failed(__FILE__, __LINE__, #a " " #op " " #b,                \
                               std::to_string(a) + " against " + std::to_string(b)); \
  } while (false)
#define LOCKSTEP_CHECK_EQ(a, b) LOCKSTEP_CHECK_OP(a, ==, b)
#define LOCKSTEP_CHECK_LE(a, b) LOCKSTEP_CHECK_OP(a, <=, b)
#define LOCKSTEP_CHECK(condition)                                                   \
  do {                                                                              \
    if (!(condition)) ::lockstep::check_failed(__FILE__, __LINE__, #condition, ""); \
  } while (false)
