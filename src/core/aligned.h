// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace lockstep {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// A wish, which the kernel may or may not grant; `memory` begins at a multiple of kHugePage if it has that
/// many bytes.
void ask_for_huge_pages(void* memory, std::size_t bytes);

/// Memory that starts at a cache line, as SIMD loads and the determinism contract want it.
template <class T>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{64};

  CacheLineAllocator() = default;
  template <class U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}  // NOLINT: the conversion allocators must have

  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kAlignment)); }
  void deallocate(T* data, std::size_t) { ::operator delete(data, kAlignment); }
  bool operator==(const CacheLineAllocator&) const = default;
};

template <class T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

/// Memory for data sets: rows are read in random order, which costs a page walk each on pages of 4 KiB, so
/// large blocks ask the kernel for huge ones.
template <class T>
struct HugePageAllocator {
  using value_type = T;

  HugePageAllocator() = default;
  template <class U>
  HugePageAllocator(const HugePageAllocator<U>&) {}  // NOLINT: the conversion allocators must have

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    void* const memory = ::operator new(bytes, alignment(bytes));
    ask_for_huge_pages(memory, bytes);
    return static_cast<T*>(memory);
  }
  void deallocate(T* data, std::size_t count) { ::operator delete(data, alignment(count * sizeof(T))); }
  bool operator==(const HugePageAllocator&) const = default;

 private:
  static std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t{bytes < kHugePage ? 64 : kHugePage};
  }
};

template <class T>
using LargeVector = std::vector<T, HugePageAllocator<T>>;

/// The next multiple of 16, the floats of a cache line.
template <class Integer>
constexpr Integer round_up_16(Integer count) {
  return (count + 15) / 16 * 16;
}

}  // namespace lockstep
