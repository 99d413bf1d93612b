// SPDX-License-Identifier: Apache-2.0
// In the place of hdf5_table.cpp where LOCKSTEP_HDF5 is off.
#include "data/hdf5_table.h"
#include "lockstep/core/error.h"

namespace lockstep {

std::unique_ptr<Hdf5Table> open_hdf5(const std::string& path, bool) {
  throw Error(ExitCode::kData,
              path +
                  ": is an HDF5 file, which this build cannot read; install the HDF5 library (Debian: "
                  "libhdf5-dev) and build with -D LOCKSTEP_HDF5=ON, or save the arrays by numpy.savez");
}

}  // namespace lockstep
