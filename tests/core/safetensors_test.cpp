// SPDX-License-Identifier: Apache-2.0
#include "core/safetensors.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

#include "lockstep/core/error.h"
#include "support/temporary_folder.h"

namespace lockstep::testing {
namespace {

std::string file_of(const std::string& header, const std::string& data, std::uint64_t header_size) {
  return std::string(reinterpret_cast<const char*>(&header_size), sizeof header_size) + header + data;
}

std::string file_of(const std::string& header, const std::string& data = std::string(8, '\0')) {
  return file_of(header, data, header.size());
}

std::string tensor(const std::string& name, const std::string& shape, const std::string& offsets) {
  return "\"" + name + R"(":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

std::string refusal(const std::string& content) {
  const TemporaryFolder folder;
  try {
    read_safetensors(folder.write("m", content));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kData);
    return std::string(error.what()).substr(folder.path().string().size() + 4);
  }
  return "accepted";
}

TEST(Safetensors, RefusesWhatDoesNotFit) {
  const std::string whole = tensor("a", "[2]", "[0,8]");
  EXPECT_EQ(refusal(file_of("{" + whole + "}")), "accepted");
  EXPECT_EQ(refusal("short"), "is too short for a safetensors file");
  for (const std::uint64_t size : {std::uint64_t{1} << 63, ~std::uint64_t{0}, std::uint64_t{3}})
    EXPECT_NE(refusal(file_of("{}", "", size)), "accepted") << size;
  EXPECT_EQ(refusal(file_of("{" + whole + "," + whole + "}")), "a tensor is there twice");
  for (const char* shape :
       {"[4294967296,4294967296]", "[18446744073709551615]", "[-2]", "[1e3]", "[3]", "2", "[[2]]"})
    EXPECT_NE(refusal(file_of("{" + tensor("a", shape, "[0,8]") + "}")), "accepted") << shape;
  for (const char* offsets :
       {"[0,4]", "[4,8]", "[8,0]", "[0,16]", "[0,18446744073709551615]", "[0]", "{}", "[null,8]"})
    EXPECT_NE(refusal(file_of("{" + tensor("a", "[2]", offsets) + "}")), "accepted") << offsets;
  const std::string overlapping = tensor("a", "[2]", "[0,8]") + "," + tensor("b", "[1]", "[4,8]");
  EXPECT_NE(refusal(file_of("{" + overlapping + "}")), "accepted");
  EXPECT_EQ(refusal(file_of("{" + whole + "}", std::string(12, '\0'))), "has data that belongs to no tensor");
  EXPECT_EQ(refusal(file_of(std::string(100'000, '['))),
            "the header is nested too deeply for a safetensors file");
  EXPECT_EQ(refusal(file_of(R"({"__metadata__":3})")), "has metadata that are no table of texts");
  EXPECT_EQ(refusal(file_of(R"({"a":{"dtype":7}})")),
            "tensor a is not float32 or int64 with shape and data_offsets");
}

TEST(Safetensors, MayListTensorsInAnyOrder) {
  const TemporaryFolder folder;
  const std::string header = "{" + tensor("b", "[1]", "[4,8]") + "," + tensor("a", "[1]", "[0,4]") + "}";
  const TensorFile file = read_safetensors(folder.write("m", file_of(header)));
  ASSERT_EQ(file.tensors.size(), 2U);
  EXPECT_EQ(file.tensors[0].name, "a");
}

// Names were once compared with each other, which takes minutes here.
TEST(Safetensors, ReadsManyTensorsInLinearTime) {
  std::string header = "{";
  for (int i = 0; i < 100'000; ++i)
    header += (i > 0 ? "," : "") + tensor("t" + std::to_string(i), "[0]", "[0,0]");
  const TemporaryFolder folder;
  const std::string path = folder.write("m", file_of(header + "}", ""));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(read_safetensors(path).tensors.size(), 100'000U);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

}  // namespace
}  // namespace lockstep::testing
