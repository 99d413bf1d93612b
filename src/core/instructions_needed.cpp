// SPDX-License-Identifier: Apache-2.0
// Compiled for LOCKSTEP_ARCH, as the check (instruction_set.cpp) is not: so it holds data and no code.
#include "core/instruction_set.h"

namespace lockstep {

// clang-format off
constinit const std::uint32_t kNeededInstructions = 0
#ifdef __SSE3__
    | kSse3
#endif
#ifdef __SSSE3__
    | kSsse3
#endif
#ifdef __SSE4_1__
    | kSse41
#endif
#ifdef __SSE4_2__
    | kSse42
#endif
#ifdef __POPCNT__
    | kPopcnt
#endif
#ifdef __MOVBE__
    | kMovbe
#endif
#ifdef __LZCNT__
    | kLzcnt
#endif
#ifdef __BMI__
    | kBmi
#endif
#ifdef __BMI2__
    | kBmi2
#endif
#ifdef __AVX__
    | kAvx
#endif
#ifdef __F16C__
    | kF16c
#endif
#ifdef __FMA__
    | kFma
#endif
#ifdef __AVX2__
    | kAvx2
#endif
#ifdef __AVX512F__
    | kAvx512f
#endif
#ifdef __AVX512CD__
    | kAvx512cd
#endif
#ifdef __AVX512BW__
    | kAvx512bw
#endif
#ifdef __AVX512DQ__
    | kAvx512dq
#endif
#ifdef __AVX512VL__
    | kAvx512vl
#endif
#ifdef __AVX512VBMI__
    | kAvx512vbmi
#endif
#ifdef __AVX512VBMI2__
    | kAvx512vbmi2
#endif
#ifdef __AVX512VNNI__
    | kAvx512vnni
#endif
    ;
// clang-format on

}  // namespace lockstep
