// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lockstep {

/// Bytes a second of a[i] = b[i] + c·d[i] over vectors far larger than the caches (McCalpin, 1995): two read,
/// one written, the fetch of what is written not counted. The best of several, and 200 MB of memory for a
/// moment.
double triad_bytes_per_s();

}  // namespace lockstep
