// SPDX-License-Identifier: Apache-2.0
// A build without HDF5 knows such files and says what to do; hdf5_test.cpp is in its place in one with it.
#include <gtest/gtest.h>

#include "data/loading.h"

namespace lockstep::testing {
namespace {

TEST(Hdf5, FilesAreKnownAndRefusedWithAWayOut) {
  const TemporaryFolder folder;
  for (const std::size_t user_block : {0, 512, 2048}) {
    const std::string content = std::string(user_block, 'u') + "\x89HDF\r\n\x1a\n" + std::string(100, '\0');
    const std::string path = folder.write("rows.h5", content);
    try {
      load({{"data.train", path}});
      ADD_FAILURE() << "it was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kData);
      EXPECT_EQ(std::string(error.what()).find(path + ": is an HDF5 file"), 0U) << error.what();
      EXPECT_NE(std::string(error.what()).find("LOCKSTEP_HDF5=ON"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace lockstep::testing
