// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "loading.h"

namespace lockstep::testing {
namespace {

struct BadCase {
  std::string name;
  std::string content;
  std::string message;  ///< behind the path of the file
  Settings settings = {};
  Task task = Task::kClassification;
};

std::vector<BadCase> text_cases() {
  const Settings svm{{"data.format", "libsvm"}}, csv{{"data.format", "csv"}};
  return {
      {"Empty", "", ": is empty"},
      {"NoRowsCsv", "\n\n", ": has no rows", csv},
      {"HeaderOnly", "a,b,label\n", ": has no rows"},
      {"NoRowsLibsvm", "# nothing\n", ": has no rows", svm},
      {"Ragged", "1,2,0\n3,1\n", ":2:1: the line has 2 fields, 3 were expected"},
      {"RaggedByDecimalComma", "1,2,0\n1,5,2,1\n",
       ":2:1: the line has 4 fields, 3 were expected (is the comma a decimal"},
      {"NotANumber", "1,2,0\n3,x4,1\n", ":2:3: field 2: \"x4\" is not a number"},
      {"NotANumberNamed", "a,b,y\n1,2,0\n3,4z,1\n", ":3:3: field 2 (b): \"4z\" is not a number"},
      {"HalfAHeader", "1,x,0\n3,4,1\n", ":1:3: \"x\" is not a number, other fields of the first line are"},
      {"Missing", "1,2,0\n,4,1\n", ":2:1: field 1: empty, a number was expected"},
      {"Nan", "1,2,0\n3,nan,1\n", ":2:3: field 2: \"nan\" is NaN"},
      {"Infinite", "1,2,0\n3,-inf,1\n", ":2:3: field 2: \"-inf\" is infinite"},
      {"TooLarge", "1,2,0\n3,1e99,1\n", ":2:3: field 2: \"1e99\" is infinite or too large"},
      {"DecimalComma", "1;2;0\n3;4,5;1\n", ":2:3: field 2: \"4,5\" has a decimal comma, write 4.5"},
      {"EmptyLabel", "1,2,0\n3,4,\n", ":2:5: the label is empty"},
      {"OpenQuote", "1,2,a\n3,4,\"b\n", ":2:5: the quote is not closed"},
      {"NulByte", std::string("1,2,0\n3,\0,1\n", 12), ":2:3: a NUL byte", csv},
      {"Utf16",
       "\xFF\xFE"
       "1,2",
       ": is UTF-16 text", csv},
      {"NegativeWeight",
       "x,w,y\n1,1,0\n2,-1,1\n",
       ":3:3: field 2 (w): the row weight is negative",
       {{"data.weight", "w"}}},
      {"NanWeight", "x,w,y\n1,1,0\n2,nan,1\n", ":3:3: field 2 (w): \"nan\" is NaN", {{"data.weight", "w"}}},
      {"NoSuchWeight", "x,y\n1,1\n", ":1:1: no column is called \"w\" (data.weight)", {{"data.weight", "w"}}},
      {"NoSuchLabel", "x,y\n1,1\n", ":1:1: no column is called \"z\" (data.label)", {{"data.label", "z"}}},
      {"NoSuchColumn", "1,2\n1,1\n", ":1:1: data.label = 7: the file has 2 columns", {{"data.label", "7"}}},
      {"OneColumn", "1\n2\n", ":1:1: the line has 1 field, a label and at least one feature", csv},
      {"OneClass", "1,0\n2,0\n", ": all rows have the label \"0\", at least two classes were expected"},
      {"TargetOfWords", "1,2\n2,many\n", ":2:3: label \"many\" is not a number", {}, Task::kRegression},
      {"TargetTooLarge",
       "1,2\n2,1e99\n",
       ":2:3: label 1e+99 is out of the range of float",
       {},
       Task::kRegression},
      {"NegativeIndex", "1 1:2\n0 -3:1\n", ":2:3: index -3 is negative", svm},
      {"HugeIndex", "1 1:2\n0 2147483649:1\n",
       ":2:3: index 2147483649 is above 2147483648 (2^31); data.hash_bits", svm},
      {"MonstrousIndex", "1 1:2\n0 99999999999999999999:1\n",
       ":2:3: index in \"99999999999999999999:1\" is out of range", svm},
      {"Unsorted", "1 1:2\n0 5:1 3:1\n", ":2:7: index 3 follows 5, ascending indices", svm},
      {"Duplicate", "1 1:2\n0 5:1 5:2\n", ":2:7: index 5 stands twice", svm},
      {"SparseNan", "1 1:2\n0 5:nan\n", ":2:5: value of feature 5: \"nan\" is NaN", svm},
      {"SparseComma", "1 1:2\n0 5:1,5\n", ":2:5: value of feature 5: \"1,5\" has a decimal comma", svm},
      {"SparseMissing", "1 1:2\n0 5:\n", ":2:5: value of feature 5: empty", svm},
      {"NoColon", "1 1:2\n0 5\n", ":2:3: \"5\" is not of the form index:value", svm},
      {"Qid", "1 qid:3 1:2\n", ":1:3: \"qid:3\": ranking data (qid) is not supported", svm},
      {"LabelMissing", "1 1:2\n1:3\n", ":2:1: the line starts with \"1:3\", a label was expected", svm},
      {"TwoLabels", "1 1:2\n1,a 1:3\n", ":2:1: \"1,a\": one label per row was expected", svm},
      {"ZeroInBaseOne",
       "1 1:2\n0 0:3\n",
       ":2: index 0, but data.index_base = 1",
       {{"data.format", "libsvm"}, {"data.index_base", "1"}}},
      {"BeyondFeatures",
       "1 1:2\n0 9:3\n",
       ":2: index 9 is beyond the 8 features",
       {{"data.format", "libsvm"}, {"data.features", "8"}}},
      {"Unknown", std::string("\x01\x02\x03", 3), ": its format is not recognised"},
  };
}

std::vector<BadCase> binary_cases() {
  const std::string whole = gzip("1,2,0\n3,4,1\n" + std::string(20000, '\n'));
  std::string flipped = whole;
  flipped[flipped.size() - 6] ^= 0x40;  // in the checksum
  const std::string npy_small = npy("<f4", "(2, 2)", bytes_of<float>({1, 0, 2, 1}));
  return {
      {"TruncatedGzip", whole.substr(0, whole.size() - 12), ": the compressed file is truncated"},
      {"CorruptedGzip", flipped, ": the compressed file is corrupted"},
      {"IdxNoLabels", idx(8, {1, 2}, "ab"), ": no labels file was found beside it"},
      {"IdxTruncated", idx(8, {4, 2}, "abcdefg"), ": truncated: the IDX header announces more values"},
      {"IdxHostile", idx(8, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, "ab"),
       ": truncated: the IDX header announces more"},
      {"IdxNoRows", idx(8, {0, 2}, ""), ": has no rows"},
      {"IdxShortHeader", std::string("\0\0\x08\x03\0\0\0\x01", 8), ": truncated: the IDX header"},
      {"NpyTruncated", npy_small.substr(0, npy_small.size() - 3),
       ": truncated: the NPY header announces more values"},
      {"NpyTruncatedGzip", gzip(npy_small.substr(0, npy_small.size() - 3)),
       ": truncated: the last row needs bytes"},
      {"NpyTooLong", npy_small + "x", ": goes on after the last row"},
      {"NpyHostile", npy("<f4", "(99999999999999, 99999999)", "abcd"),
       ": truncated: the NPY header announces more"},
      {"NpyFortran", npy("<f4", "(2, 2)", "abcdabcdabcdabcd", "True"), ": the array is in Fortran order"},
      {"NpyType", npy("<c8", "(1, 1)", "abcdabcd"), ": values of type <c8 cannot be read"},
      {"NpyNan", npy("<f4", "(1, 2)", bytes_of<float>({NAN, 0})), ":1:1: the value is NaN or infinite"},
      {"NpyNegativeShape", npy("<f4", "(-1, 2)", "abcd"), ": the NPY header has a shape that is not"},
  };
}

void expect_refused(const BadCase& bad) {
  const TemporaryFolder folder;
  const std::string path = folder.write("bad", bad.content);
  Settings settings = bad.settings;
  settings.emplace_back("data.train", path);
  // Whichever shards a rank hosts, it finds the same mistake.
  for (const TreeNode hosted : {TreeNode{0, 3}, TreeNode{2, 3}, TreeNode{1, 1}}) {
    try {
      load(settings, {bad.task, 3, hosted});
      ADD_FAILURE() << bad.name << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kData) << bad.name;
      EXPECT_EQ(std::string(error.what()).substr(0, path.size() + bad.message.size()), path + bad.message)
          << bad.name << ": " << error.what();
    }
  }
}

TEST(BadInput, Text) {
  for (const BadCase& bad : text_cases()) expect_refused(bad);
}

TEST(BadInput, Binary) {
  for (const BadCase& bad : binary_cases()) expect_refused(bad);
}

std::string message_of(const Settings& settings, LoadPlan plan = {}) {
  try {
    load(settings, plan);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kData);
    return error.what();
  }
  return "accepted";
}

TEST(BadInput, MissingFilesAndFolders) {
  const TemporaryFolder folder;
  EXPECT_EQ(message_of({{"data.train", "/no/such.csv"}}), "/no/such.csv: no such file");
  EXPECT_NE(message_of({{"data.train", folder.path().string()}}).find("is a folder"), std::string::npos);
}

TEST(BadInput, TestDataMustFitTheTrainingData) {
  const TemporaryFolder folder;
  const auto test = [&](const std::string& train, const std::string& other) {
    const std::string path = folder.write("test", other);
    const std::string message =
        message_of({{"data.train", folder.write("train", train)}, {"data.test", path}});
    return message.rfind(path, 0) == 0 ? message.substr(path.size()) : message;
  };
  EXPECT_EQ(test("1,2,0\n3,4,1\n", "1,0\n"), ": has 1 features, the training data has 2");
  EXPECT_EQ(test("1,2,0\n3,4,1\n", "1,2,0\n1,2,5\n"),
            ":2:5: label \"5\" does not occur in the training data");
  EXPECT_EQ(test("1,2,a\n3,4,b\n", "1,2,c\n"), ":1:5: label \"c\" does not occur in the training data");
  EXPECT_EQ(test("a,b,y\n1,2,0\n3,4,1\n", "b,a,y\n1,2,0\n"),
            ": has \"b\" as feature 1, the training data has \"a\" there");
  EXPECT_EQ(test("1,2,0\n3,4,1\n", "1 1:2\n0 2:3\n"), ": has sparse rows, the training data has dense ones");
  EXPECT_EQ(test("1 1:2\n0 2:3\n", "1 1:1\n0 3:3\n").substr(0, 34), ":2: index 3 is beyond the 2 featur");
  EXPECT_EQ(test("1 1:2\n0 2:3\n", "1 0:1\n"),
            ":1: index 0, but the indices of the training data count from 1");
}

TEST(BadInput, TheLossMayRefuseATarget) {
  const TemporaryFolder folder;
  const std::string path = folder.write("counts", "1,2\n3,-1\n");
  LoadPlan plan{Task::kRegression, 1, {0, 1}, {}, [](float label) {
                  if (label < 0) throw Error(ExitCode::kData, "a count is not negative");
                }};
  EXPECT_EQ(message_of({{"data.train", path}}, plan), path + ":2:3: a count is not negative");
}

TEST(BadInput, WrongSettingsAreConfigErrors) {
  const std::vector<Settings> wrong = {
      {},
      {{"data.train", "demo:blobs"}, {"data.scale", "much"}},
      {{"data.train", "demo:blobs"}, {"data.scale", "0"}},
      {{"data.train", "demo:blobs"}, {"data.valid", "split:1.5"}},
      {{"data.train", "demo:blobs"}, {"data.class_weights", "9:2"}},
      {{"data.train", "demo:blobs"}, {"data.class_weights", "1:-2"}},
      {{"data.train", "demo:blobs"}, {"data.standardize", "true"}, {"data.scale", "2"}}};
  for (const Settings& settings : wrong) {
    try {
      load(settings);
      ADD_FAILURE() << settings.back().first << " = " << settings.back().second << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kConfig) << error.what();
    }
  }
}

TEST(BadInput, DemoOptions) {
  for (const char* source :
       {"demo:nothing", "demo:blobs?row=3", "demo:blobs?rows=0", "demo:blobs?rows=x", "demo:blobs?part=other",
        "demo:sparse?features=3&nonzeros=4", "demo:spirals?features=1", "demo:blobs?features=2&classes=5",
        "demo:logistic?noise=2", "demo:logistic?noise=nan"})
    EXPECT_EQ(message_of({{"data.train", source}}).substr(0, std::string(source).size()), source);
}

}  // namespace
}  // namespace lockstep::testing
