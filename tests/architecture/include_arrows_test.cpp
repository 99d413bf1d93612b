// SPDX-License-Identifier: Apache-2.0
// Rooms include only the rooms below them, and libraries stay where CONTRIBUTING.md, "Rooms", puts them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace lockstep {
namespace {

using Texts = std::vector<std::string>;

const std::map<std::string, std::set<std::string>> kArrows = {
    {"core", {}},
    {"data", {"core", "comm"}},
    {"model", {"core", "data", "comm"}},
    {"optim", {"core"}},
    {"comm", {"core"}},
    {"reduce", {"core", "comm"}},
    {"train", {"core", "data", "model", "optim", "comm", "reduce"}},
    {"report", {"core"}},
    {"cli", {"core", "data", "model", "optim", "comm", "reduce", "train", "report"}},
};

struct Library {
  std::regex header;
  std::regex allowed_in;
  std::string sentence;
};

const std::vector<Library> kLibraries = {
    {std::regex("mpi\\.h|mpi-ext\\.h"), std::regex("(src|include/lockstep)/comm/.*"), "only comm knows MPI"},
    {std::regex("boost/.*|toml\\+\\+/.*|toml\\.hpp"),
     std::regex("src/core/config\\w*\\.cpp|src/cli/command_line\\.cpp"),
     "Boost and toml++ are for src/core/config*.cpp and src/cli/command_line.cpp"},
};

// The room of a path or of an #include: "src/data/idx.cpp", "data/idx.h", "lockstep/data/batch.h".
std::string room_of(std::string path) {
  for (const std::string prefix : {"include/", "src/", "lockstep/"})
    if (path.starts_with(prefix)) path = path.substr(prefix.size());
  if (path == "run.h") return "cli";
  if (path == "plugins.h") return "train";
  return path.substr(0, path.find('/'));
}

std::string check_quoted(const std::string& path, const std::string& header) {
  const std::string from = room_of(path), to = room_of(header);
  if (!kArrows.contains(to)) return "\"" + header + "\" is in no room";
  if (path.starts_with("include/") && !header.starts_with("lockstep/"))
    return "a public header includes the private \"" + header + "\"";
  if (from != to && !kArrows.at(from).contains(to))
    return from + " does not know " + to + " (\"" + header + "\")";
  return "";
}

std::string check_angled(const std::string& path, const std::string& header) {
  if (path.starts_with("include/") && header.find_first_of("./") != std::string::npos)
    return "a public header includes <" + header + ">, which consumers would need";
  for (const Library& library : kLibraries)
    if (std::regex_match(header, library.header) && !std::regex_match(path, library.allowed_in))
      return library.sentence + " (<" + header + ">)";
  return "";
}

// What is wrong with a file of include/ or src/, as "path:line: sentence".
Texts broken_rules(const std::string& path, const std::string& text) {
  static const std::regex include(R"(\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  if (!kArrows.contains(room_of(path))) return {path + ":1: is in no room"};
  Texts broken;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::string sentence;
    std::smatch match;
    if (std::regex_match(line, match, include))
      sentence = match[1] == "<" ? check_angled(path, match[2]) : check_quoted(path, match[2]);
    if (path.starts_with("include/") && line.find("Eigen::") != std::string::npos)
      sentence = "a public header names an Eigen type";
    if (number == 1 && line != "// SPDX-License-Identifier: Apache-2.0")
      sentence = "the SPDX line is missing";
    if (number == 2 && path.ends_with(".h") && line != "#pragma once") sentence = "#pragma once is missing";
    if (!sentence.empty()) broken.push_back(path + ":" + std::to_string(number) + ": " + sentence);
  }
  return broken;
}

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

Texts files_under(const std::set<std::string>& folders, const std::set<std::string>& extensions) {
  Texts paths;
  const std::filesystem::path root = LOCKSTEP_SOURCE_DIR;
  for (const std::string& folder : folders)
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder))
      if (extensions.contains(entry.path().extension()))
        paths.push_back(std::filesystem::relative(entry.path(), root).generic_string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

TEST(IncludeArrows, NoFileBreaksARule) {
  const Texts paths = files_under({"include", "src"}, {".h", ".cpp"});
  ASSERT_GT(paths.size(), 20u);
  for (const std::string& path : paths)
    for (const std::string& sentence :
         broken_rules(path, read(std::filesystem::path(LOCKSTEP_SOURCE_DIR) / path)))
      ADD_FAILURE() << sentence;
}

TEST(IncludeArrows, TestsAndScriptsNameTheLicence) {
  const Texts paths = files_under({"tests", "launch"}, {".h", ".cpp", ".sh", ".sbatch", ".py", ".toml"});
  ASSERT_GT(paths.size(), 5u);
  for (const std::string& path : paths) {
    std::istringstream lines(read(std::filesystem::path(LOCKSTEP_SOURCE_DIR) / path));
    std::string first, second;
    std::getline(lines, first);
    std::getline(lines, second);
    const std::string& line = first.starts_with("#!") ? second : first;
    EXPECT_TRUE(line.ends_with("SPDX-License-Identifier: Apache-2.0")) << path;
  }
}

struct Sample {
  std::string path;
  std::string line;
  std::string expected;  // part of the sentence; empty: allowed
};

TEST(IncludeArrows, EveryRuleCanFail) {
  const std::vector<Sample> samples = {
      {"src/core/hash.cpp", "#include \"data/dataset.h\"", "core does not know data"},
      {"src/core/hash.cpp", "#include \"lockstep/plugins.h\"", "core does not know train"},
      {"src/data/idx.cpp", "#include \"lockstep/model/model.h\"", "data does not know model"},
      {"src/optim/adam.cpp", "#  include \"comm/mpi_session.h\"", "optim does not know comm"},
      {"src/reduce/mpi.cpp", "#include \"model/products.h\"", "reduce does not know model"},
      {"src/train/trainer.cpp", "#include \"report/chart.h\"", "train does not know report"},
      {"src/report/chart.cpp", "#include \"lockstep/data/batch.h\"", "report does not know data"},
      {"include/lockstep/data/batch.h", "#include \"data/dataset.h\"", "private"},
      {"include/lockstep/plugins.h", "#include <Eigen/Core>", "consumers would need"},
      {"include/lockstep/plugins.h", "Eigen::MatrixXf weights;", "Eigen type"},
      {"src/reduce/canonical.cpp", "#include <mpi.h>", "only comm knows MPI"},
      {"src/core/options.cpp", "#include <boost/program_options.hpp>", "Boost"},
      {"src/cli/train.cpp", "#include <toml++/toml.h>", "toml++"},
      {"src/core/hash.cpp", "#include \"hash.h\"", "no room"},
      {"src/core/hash.cpp", "#include \"core/hash.h\"", ""},
      {"src/model/mlp.cpp", "#include \"lockstep/data/batch.h\"", ""},
      {"src/comm/mpi_session.cpp", "#include <mpi.h>", ""},
      {"src/core/config_toml.cpp", "#include <toml++/toml.h>", ""},
      {"src/cli/command_line.cpp", "#include <boost/program_options.hpp>", ""},
      {"src/cli/main.cpp", "#include \"report/chart.h\"", ""},
      {"src/model/mlp.cpp", "#include <Eigen/Core>", ""},
      {"src/core/hash.cpp", "// #include \"data/dataset.h\"", ""},
  };
  for (const Sample& sample : samples) {
    const std::string head = "// SPDX-License-Identifier: Apache-2.0\n#pragma once\n";
    const Texts broken = broken_rules(sample.path, head + sample.line + "\n");
    ASSERT_EQ(broken.size(), sample.expected.empty() ? 0u : 1u) << sample.path << ": " << sample.line;
    for (const std::string& sentence : broken)
      EXPECT_NE(sentence.find(sample.expected), std::string::npos) << sentence;
  }
  EXPECT_EQ(broken_rules("src/core/hash.cpp", "#include \"core/hash.h\"\n").size(), 1u);
  EXPECT_EQ(broken_rules("src/tools/hash.cpp", "").size(), 1u);
  EXPECT_EQ(broken_rules("src/core/hash.h", "// SPDX-License-Identifier: Apache-2.0\nint x;\n").size(), 1u);
}

}  // namespace
}  // namespace lockstep
