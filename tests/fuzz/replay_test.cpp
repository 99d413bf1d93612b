// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "core/atomic_file.h"
#include "fuzz/targets.h"

namespace lockstep::testing {
namespace {

namespace fs = std::filesystem;

struct FuzzTarget {
  const char* name;
  bool (*run)(std::string_view);
};

void PrintTo(const FuzzTarget& target, std::ostream* out) {
  *out << target.name;
}

std::vector<fs::path> inputs_of(const std::string& kind, const std::string& target) {
  std::vector<fs::path> paths;
  const fs::path folder = fs::path(LOCKSTEP_SOURCE_DIR) / "tests/fuzz" / kind / target;
  if (fs::exists(folder))
    for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

class Fuzz : public ::testing::TestWithParam<FuzzTarget> {};

// Those of the corpus that are called good are: mutations of them come far.
TEST_P(Fuzz, ReplaysTheCorpus) {
  const std::vector<fs::path> inputs = inputs_of("corpus", GetParam().name);
  EXPECT_GE(inputs.size(), 2U);
  for (const fs::path& path : inputs) {
    const bool is_good = path.filename().string().starts_with("good");
    EXPECT_EQ(GetParam().run(read_file(path)), is_good) << path;
  }
}

TEST_P(Fuzz, ReplaysWhatWasFound) {
  for (const fs::path& path : inputs_of("regressions", GetParam().name)) {
    SCOPED_TRACE(path);
    EXPECT_NO_THROW(GetParam().run(read_file(path)));
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Fuzz,
                         ::testing::Values(FuzzTarget{"cache", fuzz_cache},
                                           FuzzTarget{"checkpoint", fuzz_checkpoint},
                                           FuzzTarget{"config", fuzz_config}, FuzzTarget{"csv", fuzz_csv},
                                           FuzzTarget{"gz", fuzz_gz}, FuzzTarget{"idx", fuzz_idx},
                                           FuzzTarget{"libsvm", fuzz_libsvm}, FuzzTarget{"model", fuzz_model},
                                           FuzzTarget{"npy", fuzz_npy}, FuzzTarget{"npz", fuzz_npz}),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace lockstep::testing
