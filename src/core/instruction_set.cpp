// SPDX-License-Identifier: Apache-2.0
// Compiled for the oldest processor of its kind and linked into programs, never into a shared library: the
// check has to run before every constructor that is compiled for LOCKSTEP_ARCH.
#include "core/instruction_set.h"

#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>

namespace lockstep {
namespace {

struct Extension {
  std::uint32_t bit;
  const char* name;
  bool is_present;
};

// The C library is not ready yet: no streams, no allocation, no formatting.
void write_text(const char* text) {
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text, __builtin_strlen(text));
}

}  // namespace

/// Ends the process with a sentence where an instruction of LOCKSTEP_ARCH is missing. The linker is told to
/// ask for it by name, or it would not take this file out of an archive.
extern "C" void lockstep_check_instruction_set(int, char**, char**) {
  constexpr int kHostsExitCode = 69;  // ExitCode::kHosts
  unsigned a = 0, b = 0, leaf1_c = 0, extended_c = 0, d = 0;
  __get_cpuid(1, &a, &b, &leaf1_c, &d);
  __get_cpuid(0x80000001, &a, &b, &extended_c, &d);
  __builtin_cpu_init();
  const Extension extensions[] = {
      {kSse3, "sse3", __builtin_cpu_supports("sse3") != 0},
      {kSsse3, "ssse3", __builtin_cpu_supports("ssse3") != 0},
      {kSse41, "sse4.1", __builtin_cpu_supports("sse4.1") != 0},
      {kSse42, "sse4.2", __builtin_cpu_supports("sse4.2") != 0},
      {kPopcnt, "popcnt", __builtin_cpu_supports("popcnt") != 0},
      {kMovbe, "movbe", (leaf1_c >> 22 & 1) != 0},
      {kLzcnt, "lzcnt", (extended_c >> 5 & 1) != 0},
      {kBmi, "bmi", __builtin_cpu_supports("bmi") != 0},
      {kBmi2, "bmi2", __builtin_cpu_supports("bmi2") != 0},
      {kAvx, "avx", __builtin_cpu_supports("avx") != 0},
      {kF16c, "f16c", (leaf1_c >> 29 & 1) != 0},
      {kFma, "fma", __builtin_cpu_supports("fma") != 0},
      {kAvx2, "avx2", __builtin_cpu_supports("avx2") != 0},
      {kAvx512f, "avx512f", __builtin_cpu_supports("avx512f") != 0},
      {kAvx512cd, "avx512cd", __builtin_cpu_supports("avx512cd") != 0},
      {kAvx512bw, "avx512bw", __builtin_cpu_supports("avx512bw") != 0},
      {kAvx512dq, "avx512dq", __builtin_cpu_supports("avx512dq") != 0},
      {kAvx512vl, "avx512vl", __builtin_cpu_supports("avx512vl") != 0},
      {kAvx512vbmi, "avx512vbmi", __builtin_cpu_supports("avx512vbmi") != 0},
      {kAvx512vbmi2, "avx512vbmi2", __builtin_cpu_supports("avx512vbmi2") != 0},
      {kAvx512vnni, "avx512vnni", __builtin_cpu_supports("avx512vnni") != 0},
  };
  bool is_complete = true;
  for (const Extension& extension : extensions) {
    if (extension.is_present || (kNeededInstructions & extension.bit) == 0) continue;
    write_text(is_complete ? "This program is built for " LOCKSTEP_ARCH ", but this processor lacks " : ", ");
    write_text(extension.name);
    is_complete = false;
  }
  if (is_complete) return;
  write_text("; run it on another one, or build it for this one with -D LOCKSTEP_ARCH=native.\n");
  _exit(kHostsExitCode);
}

using Check = void (*)(int, char**, char**);
[[gnu::section(".preinit_array"), gnu::used]] static const Check kCheckFirst = lockstep_check_instruction_set;

}  // namespace lockstep
#else
extern "C" void lockstep_check_instruction_set(int, char**, char**) {}
#endif
