// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

namespace lockstep {

/// What the labels that lie in a cache file mean: the number of a class or a target; or nothing, if labels
/// are not needed.
class StoredLabels {
 public:
  enum class Kind { kNone, kTarget, kClass };
  explicit StoredLabels(Kind kind = Kind::kNone);

  Kind kind() const { return kind_; }
  /// A label that is a number, and its class; −1: none.
  void set(double number, float label);
  /// The next text of the file.
  void add_text(float label) { texts_.push_back(label); }

  /// The label that has `bytes` bytes at `at`; −1: of no class.
  float find(const char* at, std::uint32_t bytes) const {
    if (kind_ == Kind::kClass && bytes == sizeof(float)) {
      float number = 0;
      std::memcpy(&number, at, sizeof number);
      const bool is_direct = number >= 0 && number < static_cast<float>(kDirect);
      const auto whole = static_cast<std::size_t>(is_direct ? static_cast<std::int32_t>(number) : 0);
      if (is_direct && static_cast<float>(whole) == number) return direct_[whole];
    }
    return find_slowly(at, bytes);
  }

 private:
  static constexpr std::size_t kDirect = 1024;
  float find_slowly(const char* at, std::uint32_t bytes) const;

  Kind kind_;
  std::vector<float> direct_;  // of 0, 1, …
  std::map<double, float> numbers_;
  std::vector<float> texts_;
};

}  // namespace lockstep
