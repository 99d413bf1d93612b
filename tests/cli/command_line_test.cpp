// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/option_table.h"
#include "lockstep/core/error.h"
#include "lockstep/run.h"
#include "support/temporary_folder.h"

namespace lockstep {
namespace {

using testing::TemporaryFolder;
using Words = std::vector<std::string>;

CommandSyntax train_syntax() {
  return {"train",
          "",
          0,
          0,
          true,
          {{"run-dir", "DIR", "run directory"}, {"ranks", "P", "ranks", 'n'}, {"overwrite", "", "replaces"}}};
}

OptionTable small_table() {
  OptionTable table;
  table.real("optim.learning_rate", 0.1, "the rate");
  table.text("train.batch", "full", "the batch");
  table.text("train.batch_minimum", "", "a key that begins like another");
  return table;
}

TEST(CommandLine, ReadsFlagsOptionsAndFilesInOrder) {
  const CommandLine line(
      train_syntax(), small_table(),
      {"-c", "a.toml", "--set", "train.batch=7", "-n4", "--optim.learning_rate", "-1", "-cb.toml",
       "--run-dir=out", "--set=train.batch=8", "--config", "c.toml", "--train.batch=9"});
  EXPECT_EQ(line.config().files, (Words{"a.toml", "b.toml", "c.toml"}));
  EXPECT_EQ(line.config().sets,
            (Words{"train.batch=7", "--optim.learning_rate=-1", "train.batch=8", "--train.batch=9"}));
  EXPECT_EQ(line.integer("ranks", 1, 1), 4);
  EXPECT_EQ(line.text("run-dir"), "out");
  EXPECT_FALSE(line.has("overwrite"));
  EXPECT_EQ(line.integer("absent", 3, 1), 3);
  EXPECT_TRUE(line.config().read_environment);
}

TEST(CommandLine, EmptyValuesAndPositionals) {
  const CommandSyntax syntax = {"eval", "RUN|FILE", 1, 1, true, {{"data", "FILE", "data"}}};
  const CommandLine line(syntax, small_table(),
                         {"run", "--set", "train.batch=", "--data=", "--train.batch="});
  EXPECT_EQ(line.positional(), Words{"run"});
  EXPECT_EQ(line.config().sets, (Words{"train.batch=", "--train.batch="}));
  EXPECT_TRUE(line.has("data"));
  EXPECT_EQ(line.text("data", "fallback"), "");
  EXPECT_TRUE(CommandLine(syntax, small_table(), {"--help"}).wants_help());
  EXPECT_EQ(CommandLine(syntax, small_table(), {"--", "-strange"}).positional(), Words{"-strange"});
}

TEST(CommandLine, WrongArgumentsAreUsageErrorsWithSuggestions) {
  const std::string tail = "; see `lockstep train --help`";
  const std::pair<Words, std::string> cases[] = {
      {{"--overwrit"}, "unknown flag --overwrit; did you mean --overwrite?" + tail},
      {{"--optim.learning_rat", "1"},
       "unknown flag --optim.learning_rat; did you mean --optim.learning_rate?" + tail},
      {{"--lr", "1"}, "unknown flag --lr; did you mean --optim.learning_rate?" + tail},
      {{"--train.batch_min", "1"}, "unknown flag --train.batch_min"},
      {{"--batch-size=3"},
       "unknown flag --batch-size; did you mean --train.batch (global, over all ranks)?" + tail},
      {{"-z"}, "unknown flag -z" + tail},
      {{"a.toml"}, "unexpected argument a.toml; did you mean -c a.toml?" + tail},
      {{"--run-dir"}, "the required argument for option '--run-dir' is missing" + tail},
      {{"--overwrite=3"}, "option '--overwrite' does not take any arguments" + tail},
      {{"--run-dir", "a", "--run-dir", "b"}, "--run-dir stands twice" + tail},
  };
  for (const auto& [arguments, expected] : cases) {
    try {
      CommandLine(train_syntax(), small_table(), arguments);
      ADD_FAILURE() << arguments[0] << " gave no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
      EXPECT_TRUE(std::string(error.what()).starts_with(expected))
          << error.what() << "\n expected " << expected;
    }
  }
  for (const char* ranks : {"0", "-2", "two", "1.5", "", "99999999999999999999"}) {
    const CommandLine line(train_syntax(), small_table(), {"-n", ranks});
    EXPECT_THROW(line.integer("ranks", 1, 1), Error) << ranks;
  }
}

/// What the program prints and returns.
struct Outcome {
  int code;
  std::string out, err;
};

Outcome run_program(Words words) {
  words.insert(words.begin(), "lockstep");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int code = run(static_cast<int>(argv.size()), argv.data(), builtin_plugins());
  return {code, ::testing::internal::GetCapturedStdout(), ::testing::internal::GetCapturedStderr()};
}

TEST(Program, ErrorsAreOneMessageOnStderrWithItsExitCode) {
  const std::pair<Words, std::pair<int, std::string>> cases[] = {
      {{}, {64, "lockstep: no subcommand given"}},
      {{"confg"}, {64, "lockstep: unknown subcommand confg; did you mean config"}},
      {{"config"}, {64, "lockstep: config needs a second word: config check, config show"}},
      {{"config", "chek"}, {64, "lockstep: unknown subcommand config; did you mean config check?"}},
      {{"config", "show", "--orgin"}, {64, "lockstep: unknown flag --orgin; did you mean --origin?"}},
      {{"config", "diff", "one"}, {64, "lockstep: `lockstep config diff` needs FILE FILE"}},
      {{"config", "check", "absent.toml"},
       {78, "lockstep: cannot read config file absent.toml: No such file"}},
      {{"config", "explain", "run.sed"},
       {78, "lockstep: config explain: unknown key run.sed; did you mean run.seed?"}},
  };
  for (const auto& [words, expected] : cases) {
    const Outcome outcome = run_program(words);
    EXPECT_EQ(outcome.code, expected.first) << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with(expected.second)) << outcome.err << " expected " << expected.second;
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(Program, ConfigCommands) {
  const TemporaryFolder folder;
  const std::string one = folder.write("one.toml", "[run]\nseed = 1\n");
  const std::string two = folder.write("two.toml", "[run]\nseed = 2\n");
  EXPECT_EQ(run_program({"config", "check", one, two}).out, one + ": ok\n" + two + ": ok\n");
  EXPECT_EQ(run_program({"config", "check", "-c", one}).out, one + ": ok\n");
  for (const std::string wrong :
       {"train.batch=many", "train.target=loss < 1", "eval.every=often", "checkpoint.every=often",
        "optim.warmup=long", "train.average_start=late", "optim.scaling=linear", "model.loss=squared"}) {
    const Outcome outcome = run_program({"config", "check", one, "--set", "model.name=svm", "--set", wrong});
    EXPECT_EQ(outcome.code, 78) << wrong;
    EXPECT_NE(outcome.err.find(wrong.substr(0, wrong.find('='))), std::string::npos) << outcome.err;
  }
  EXPECT_EQ(run_program({"config", "diff", one, two}).out, "run.seed: 1 -> 2\nanother model\n");
  EXPECT_EQ(run_program({"config", "diff", one, one}).out, "the same model from the same data\n");
  const std::string shown = run_program({"config", "show", "--origin", two, "--set", "run.name=x"}).out;
  EXPECT_NE(shown.find("seed = 2  # " + two + ":2:8\n"), std::string::npos) << shown;
  EXPECT_NE(shown.find("name = \"x\"  # --set\n"), std::string::npos) << shown;
  EXPECT_NE(run_program({"config", "explain", "run.seed"}).out.find("random_state"), std::string::npos);
  EXPECT_NE(run_program({"config", "explain"}).out.find("--run.seed"), std::string::npos);
  EXPECT_NE(run_program({"--help"}).out.find("config show"), std::string::npos);
  EXPECT_EQ(run_program({"config", "show", "--help"}).code, 0);
}

TEST(Program, DefaultsOfEveryOptionRunAgain) {
  const OptionTable table = all_options(builtin_plugins());
  const TemporaryFolder folder;
  const Options defaults(table);
  const Options again =
      resolve_config(table, {{folder.write("c.toml", to_toml(defaults, false))}, false, {}});
  for (const OptionSpec& spec : table.specs()) {
    EXPECT_EQ(again.value(spec.key), defaults.value(spec.key)) << spec.key;
    EXPECT_FALSE(spec.help.empty()) << spec.key;
    EXPECT_NO_THROW(explain(table, spec.key));
  }
}

}  // namespace
}  // namespace lockstep
