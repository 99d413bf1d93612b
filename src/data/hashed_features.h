// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/json.h"
#include "lockstep/data/row_sink.h"

namespace lockstep {

/// As it stands in the metadata of cache files and models.
Json hashed_json(const HashedFeatures& hashed);
/// Throws Json::exception for JSON that is malformed.
HashedFeatures parse_hashed(const Json& json);
/// Whether the numbers fit together, and to a table of `features`.
bool is_sound(const HashedFeatures& hashed, Index features);

/// Whether names are the same where they are kept: bytes that are no UTF-8 are replaced there.
bool is_same_name(const std::string& a, const std::string& b);

/// "data.hash_bits = 12 and data.hash_seed = 1", and for columns data.categories.
std::string hash_options(const HashedFeatures& hashed);

/// What a source has that training data has not, so that its features would fall to other slots: a part of a
/// sentence behind "file: ", and what to do. Empty: nothing, or it is not known.
std::string hash_difference(const HashedFeatures& trained, const HashedFeatures& source);

}  // namespace lockstep
