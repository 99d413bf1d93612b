// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "data/demo_rows.h"

namespace lockstep {

/// The demo sets of sparse rows: sparse and fm.
std::unique_ptr<DemoRows> make_sparse_demo_rows(DemoOptions options);

}  // namespace lockstep
