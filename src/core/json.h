// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

namespace lockstep {

/// How Json gives integers. The library casts any number to the type that is asked for, which for 1e30 is
/// undefined and for 2^40 as an int another number; here what is not an integer of that type throws its
/// type_error or out_of_range.
template <class T, class = void>
struct StrictIntegers : nlohmann::adl_serializer<T> {};

template <class T>
requires std::integral<T> &&(!std::same_as<T, bool>)struct StrictIntegers<T> : nlohmann::adl_serializer<T> {
  template <class AnyJson>
  static void from_json(const AnyJson& json, T& value) {
    const std::int64_t integer = json.template get_ref<const std::int64_t&>();  // throws for other types
    const bool is_large = json.is_number_unsigned() && integer < 0;             // beyond 2^63
    const bool is_in_range =
        is_large ? std::in_range<T>(static_cast<std::uint64_t>(integer)) : std::in_range<T>(integer);
    if (!is_in_range) throw AnyJson::out_of_range::create(406, "integer out of range: " + json.dump(), &json);
    value = static_cast<T>(integer);
  }
};

/// A JSON value; objects keep the order of their keys.
using Json = nlohmann::basic_json<nlohmann::ordered_map, std::vector, std::string, bool, std::int64_t,
                                  std::uint64_t, double, std::allocator, StrictIntegers>;

}  // namespace lockstep
