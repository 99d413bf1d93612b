// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <locale>

#include "core/config.h"
#include "core/printable.h"
#include "lockstep/core/error.h"
#include "support/temporary_folder.h"

namespace lockstep::testing {
namespace {

const OptionTable& table() {
  static const OptionTable made = [] {
    OptionTable options;
    options.real("a.rate", 0.1, "a number");
    options.integer("a.count", 1, "a count");
    options.texts("a.names", {}, "texts");
    return options;
  }();
  return made;
}

std::string message_of(const std::string& toml) {
  const TemporaryFolder folder;
  const std::string path = folder.write("c.toml", toml);
  try {
    resolve_config(table(), {{path}, false, {}});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kConfig) << error.what();
    return std::string(error.what()).substr(path.size());
  }
  return "accepted";
}

std::string dotted(int parts) {
  std::string key = "k";
  for (int i = 1; i < parts; ++i) key += ".k";
  return key;
}

// toml++ frees tables by recursion: a file of 1 MB could overflow the stack.
TEST(HostileConfig, IsNoDeeperThanTheStack) {
  EXPECT_EQ(message_of("\n" + dotted(40) + " = 1\n"), ":2: a key of more than 32 parts");
  EXPECT_EQ(message_of("[" + dotted(40) + "]\n"), ":1: a key of more than 32 parts");
  std::string tables = "a = ";
  for (int i = 0; i < 120; ++i) tables += "[{" + dotted(4000) + " = \n";
  EXPECT_EQ(message_of(tables), ":1: a key of more than 32 parts");
  std::string lists = "a = ";
  for (int i = 0; i < 250; ++i) lists += "[{" + dotted(30) + " = \n";
  EXPECT_NE(message_of(lists), "accepted");
  EXPECT_NE(message_of("a = " + std::string(8000, '[')), "accepted");
  EXPECT_NE(message_of("a = " + std::string(8000, '{')), "accepted");
}

TEST(HostileConfig, MayHoldManyDotsElsewhere) {
  std::string path;
  for (int i = 0; i < 40; ++i) path += "../";
  EXPECT_EQ(message_of("# ................................................ = \n[a]\n"),
            ":1: a key of more than 32 parts");
  EXPECT_EQ(message_of("# ................................................\n[a]\nnames = [\"" +
                       path.substr(0, 45) + "\"]\n"),
            "accepted");
}

TEST(HostileConfig, RefusesBytesThatAreNoText) {
  EXPECT_NE(message_of(std::string("[a]\nrate = 0\0.1\n", 16)), "accepted");
  EXPECT_NE(message_of("[a]\nrate = 0,1\n"), "accepted");
  EXPECT_NE(message_of("[a]\nnames = [\"\xFF\"]\n"), "accepted");
  EXPECT_NE(message_of("[a]\nrate = 1e400\n"), "accepted");
  EXPECT_NE(message_of("[a]\ncount = 9223372036854775808\n"), "accepted");
  EXPECT_EQ(message_of("\xEF\xBB\xBF[a]\r\nrate = 0.5\r\n"), "accepted");
  EXPECT_NE(message_of("# " + std::string(2 << 20, '\n')), "accepted");
}

// What a terminal would obey.
TEST(HostileConfig, IsQuotedWithoutControlCharacters) {
  EXPECT_EQ(printable("a\x1b[2J\r\n\tb\x7f"), "a\\x1b[2J\\x0d\n\tb\\x7f");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m é … ä"),
            "\xC2\\x9b"
            "31m é … ä");
}

// Decimal comma and dots between thousands, as in de_DE.
struct Comma : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

TEST(HostileConfig, HasNoLocale) {
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Comma));
  const TemporaryFolder folder;
  const Options options =
      resolve_config(table(), {{folder.write("c", "[a]\nrate = 1234.5\ncount = 10000\n")}, false, {}});
  const std::string text = to_toml(options, false);
  std::locale::global(before);
  EXPECT_EQ(options.real("a.rate"), 1234.5);
  EXPECT_NE(text.find("rate = 1234.5"), std::string::npos) << text;
  EXPECT_NE(text.find("count = 10000"), std::string::npos) << text;
}

}  // namespace
}  // namespace lockstep::testing
