// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace lockstep::testing {

/// A safetensors file: `input` as it is; or, where it starts like JSON, its first line as the header, with
/// its length before it and the right check sum in it, and the rest as data.
std::string tensor_file(std::string_view input);

}  // namespace lockstep::testing
