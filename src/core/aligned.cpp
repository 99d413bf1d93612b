// SPDX-License-Identifier: Apache-2.0
#include "core/aligned.h"

#include <sys/mman.h>

namespace lockstep {

void ask_for_huge_pages(void* memory, std::size_t bytes) {
  if (bytes >= kHugePage) static_cast<void>(madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE));
}

}  // namespace lockstep
