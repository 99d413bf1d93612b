// SPDX-License-Identifier: Apache-2.0
#include "core/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <limits>
#include <random>

#include "core/config_identity.h"
#include "core/option_text.h"
#include "lockstep/core/error.h"
#include "support/temporary_folder.h"

namespace lockstep {
namespace {

using testing::TemporaryFolder;

OptionTable small_table() {
  OptionTable table;
  table.integer("run.seed", 1, "the seed").range(0);
  table.text("run.name", "", "name of the run");
  table.text("data.train", "", "training data");
  table.text("data.valid", "", "validation data");
  table.text("data.test", "", "test data");
  table.flag("data.standardize", false, "whether to standardize");
  table.text("train.batch", "full", "full or a number");
  table.real("train.epochs", 10, "passes").range(0, 1000);
  table.integers("model.hidden", {64}, "widths").range(1);
  table.text("model.activation", "relu", "what a unit does").one_of({"relu", "tanh", "sigmoid"});
  table.text("optim.name", "sgd", "the optimizer").one_of({"sgd", "adam", "adamw", "rmsprop"});
  table.real("optim.learning_rate", 0.1, "the rate").range(0);
  table.real("optim.l2", 0, "penalty").range(0);
  table.reals("optim.factors", {0.5, 0.25}, "factors").range(0, 1);
  table.texts("optim.milestones", {"10 epochs"}, "when");
  table.text("log.progress", "auto", "progress");
  for (const char* owner : {"adam", "adamw"}) {
    table.begin_owner("optim.name", owner);
    table.real("optim.beta1", 0.9, "decay").range(0, 1);
    table.end_owner();
  }
  table.begin_owner("optim.name", "rmsprop");
  table.real("optim.alpha", 0.99, "decay").range(0, 1);
  table.end_owner();
  return table;
}

/// Runs `action`, which must throw an Error, and gives its code and message.
std::pair<int, std::string> error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return {static_cast<int>(error.code()), error.what()};
  }
  return {0, "no error"};
}

class ConfigTest : public ::testing::Test {
 protected:
  Options from_file(const std::string& content) {
    return resolve_config(table_, {{folder_.write("run.toml", content)}, false, {}});
  }
  Options from_sets(const std::vector<std::string>& sets) {
    return resolve_config(table_, {{}, false, sets});
  }
  std::string path(const std::string& name) { return (folder_.path() / name).string(); }

  void expect_file_error(const std::string& content, const std::string& expected) {
    const auto [code, message] = error_of([&] { from_file(content); });
    EXPECT_EQ(code, 78) << content.substr(0, 200);
    EXPECT_NE(message.find(path("run.toml") + expected), std::string::npos)
        << content.substr(0, 200) << "\n gave: " << message << "\n expected: run.toml" << expected;
  }
  void expect_set_error(const std::string& set, const std::string& expected, int code = 78) {
    const auto [found, message] = error_of([&] { from_sets({set}); });
    EXPECT_EQ(found, code) << set;
    EXPECT_EQ(message, expected) << set;
  }

  OptionTable table_ = small_table();
  TemporaryFolder folder_;
};

TEST_F(ConfigTest, FileErrorsNamePlaceCauseAndRemedy) {
  const std::pair<const char*, const char*> cases[] = {
      {"[optim]\n\nlearning_rat = 0.1\n",
       ":3:1: unknown key optim.learning_rat; did you mean optim.learning_rate?"},
      {"[optim]\nname = \"adam\"\nbeta_1 = 0.9\n",
       ":3:1: unknown key optim.beta_1; did you mean optim.beta1?"},
      {"[train]\nlearning_rate = 1.0",
       ":2:1: unknown key train.learning_rate; did you mean optim.learning_rate?"},
      {"nonsense_of_no_kind = 1", ":1:1: unknown key nonsense_of_no_kind"},
      {"[opt]", ":1:2: unknown key opt"},
      {"[optim.name]\nx = 1", ":2:1: unknown key optim.name.x; did you mean optim.name?"},
      {"[[optim]]\nlearning_rate = 1", ":1:3: unknown key optim"},
      // wrong type
      {"[optim]\nlearning_rate = \"fast\"",
       ":2:17: optim.learning_rate is \"fast\"; expected a number of at least 0"},
      {"[optim]\nlearning_rate = \"0.1\"", ":2:17: optim.learning_rate is \"0.1\"; expected a number"},
      {"[optim]\nlearning_rate = true", ":2:17: optim.learning_rate is true; expected a number"},
      {"[optim]\nlearning_rate = [0.1]", ":2:17: optim.learning_rate is a list; expected a number"},
      {"[optim]\nlearning_rate = {}", ":2:17: optim.learning_rate is a table; expected a number"},
      {"[optim]\nlearning_rate = 2026-01-01", ":2:17: optim.learning_rate is a date or time; expected"},
      {"[run]\nseed = 1.5", ":2:8: run.seed is 1.5; expected an integer of at least 0"},
      {"[run]\nseed = 1.0", ":2:8: run.seed is 1.0; expected an integer"},
      {"[run]\nname = true", ":2:8: run.name is true; expected a text"},
      {"[data]\nstandardize = 1", ":2:15: data.standardize is 1; expected true or false"},
      {"[model]\nhidden = 64",
       ":2:10: model.hidden is 64; expected a list of integers of at least 1, such as [2, 3]"},
      {"[model]\nhidden = [64, \"x\"]", ":2:15: model.hidden is \"x\"; expected a list of integers"},
      {"[model]\nhidden = [64, [2]]", ":2:15: model.hidden is a list; expected a list of integers"},
      // out of range, not a number, not a choice
      {"[run]\nseed = -1", ":2:8: run.seed is -1; expected an integer of at least 0"},
      {"[train]\nepochs = 1001", ":2:10: train.epochs is 1001; expected a number from 0 to 1000"},
      {"[model]\nhidden = [64, 0]",
       ":2:10: model.hidden is [64, 0]; expected a list of integers of at least 1"},
      {"[optim]\nlearning_rate = nan", ":2:17: optim.learning_rate is nan; expected a number"},
      {"[optim]\nlearning_rate = inf", ":2:17: optim.learning_rate is inf; expected a number"},
      {"[train]\nbatch = nan", ":2:9: train.batch is nan; expected a text"},
      {"[optim]\nlearning_rate = 1e400", ":2:22: not valid TOML: parsing floating-point: '1e400'"},
      {"[run]\nseed = 99999999999999999999", ":2:28: not valid TOML: parsing decimal integer"},
      {"[model]\nactivation = \"rel\"",
       ":2:14: model.activation is \"rel\"; expected one of relu, tanh, sigmoid; did you mean relu?"},
      // twice
      {"[run]\nseed = 1\nseed = 2",
       ":3:8: duplicate key: cannot redefine existing integer 'seed'\n  seed = 2\n         ^"},
      {"[run]\nseed = 1\n[run]\n", ":3:1: duplicate key: cannot redefine existing table 'run'"},
      // not TOML
      {"[optim]\nname = sgd",
       ":2:8: not valid TOML: parsing value: could not determine value type; strings need quotes\n  name = "
       "sgd\n"},
      {"[data]\ntrain = /data/a.csv", "; strings need quotes\n  train = /data/a.csv\n"},
      {"[optim]\nlearning_rate = 0,1", ":2:18: not valid TOML: parsing key-value pair: expected a comment"},
      {"[optim\nname = 1", ":1:7: not valid TOML: parsing table header"},
      {"learning_rate: 0.1", ":1:14: not valid TOML: parsing key-value pair: expected '=', saw ':'"},
      {"name = \"abc", "not valid TOML: parsing string: encountered end-of-file\n  name = \"abc\n"},
      {"\xff\xfe", "not valid TOML"},
      // of another plug-in
      {"[optim]\nbeta1 = 0.8", ":2:9: optim.beta1 belongs to adam, adamw; optim.name is sgd"},
      {"[optim]\nalpha = 0.8",
       ":2:9: optim.alpha belongs to rmsprop; optim.name is sgd; did you mean optim.l2 (l2 = alpha)?"},
      // extends
      {"extends = \"base.toml\"", ":1:11: extends takes a list of files"},
      {"extends = [1]", ":1:11: extends takes a list of files"},
      {"extends = [\"absent.toml\"]", ":1:11: extends "},
  };
  for (const auto& [content, expected] : cases) {
    const std::string place = expected;
    if (place.starts_with(":"))
      expect_file_error(content, place);
    else
      EXPECT_NE(error_of([&] { from_file(content); }).second.find(place), std::string::npos) << content;
  }
}

TEST_F(ConfigTest, HostileFilesAreErrorsNotCrashes) {
  std::string dotted = "a";
  for (int i = 0; i < 100000; ++i) dotted += ".a";
  expect_file_error("a = \"" + std::string(9000, 'b') + "\"", ":1: a line longer than 8192 bytes");
  expect_file_error(dotted + " = 1", ":1: a key of more than 32 parts");
  expect_file_error("a = " + std::string(4000, '[') + std::string(4000, ']'), ":1:");
  expect_file_error("a = " + std::string(4000, '{'), ":1:");
  expect_file_error(dotted.substr(0, 63) + " = 1", ":1:63: unknown key a.a.a");
  expect_file_error("#" + std::string(1 << 20, '\n'), ": larger than 1 MiB");
  expect_file_error(std::string("\0\0\0", 3), "");
  for (const std::string& file : {path("absent.toml"), folder_.path().string()}) {
    const auto [code, message] = error_of([&] { resolve_config(table_, {{file}, false, {}}); });
    EXPECT_EQ(code, 78);
    EXPECT_TRUE(message.starts_with("cannot read config file " + file)) << message;
    EXPECT_TRUE(message.ends_with(": No such file or directory")) << message;
  }
}

TEST_F(ConfigTest, SetErrors) {
  const std::pair<const char*, const char*> cases[] = {
      {"optim.learning_rat=1", "--set: unknown key optim.learning_rat; did you mean optim.learning_rate?"},
      {"optim.learning_rate=fast", "--set: optim.learning_rate is fast; expected a number of at least 0"},
      {"optim.learning_rate=", "--set: optim.learning_rate is \"\"; expected a number of at least 0"},
      {"optim.learning_rate=nan", "--set: optim.learning_rate is nan; expected a number of at least 0"},
      {"optim.learning_rate=-inf", "--set: optim.learning_rate is -inf; expected a number of at least 0"},
      {"optim.learning_rate=1e400", "--set: optim.learning_rate is 1e400; expected a number of at least 0"},
      {"optim.learning_rate=-1", "--set: optim.learning_rate is -1; expected a number of at least 0"},
      {"optim.learning_rate=0,1", "--set: optim.learning_rate is 0,1; expected a number of at least 0"},
      {"run.seed=1.5", "--set: run.seed is 1.5; expected an integer of at least 0"},
      {"run.seed=99999999999999999999",
       "--set: run.seed is 99999999999999999999; expected an integer of at least 0"},
      {"run.seed=7up", "--set: run.seed is 7up; expected an integer of at least 0"},
      {"run.seed=+-7", "--set: run.seed is +-7; expected an integer of at least 0"},
      {"data.standardize=yes", "--set: data.standardize is yes; expected true or false"},
      {"model.hidden=64,,32",
       "--set: model.hidden is [64, , 32]; expected a list of integers of at least 1, such as [2, 3]"},
      {"model.hidden=64,a",
       "--set: model.hidden is [64, a]; expected a list of integers of at least 1, such as [2, 3]"},
      {"run.name=\xff", "--set: run.name is \"\xff\"; expected a text"},
      {"optim.name=adm",
       "--set: optim.name is \"adm\"; expected one of sgd, adam, adamw, rmsprop; did you mean adam?"},
      {"optim.beta1=0.5", "--set: optim.beta1 belongs to adam, adamw; optim.name is sgd"},
      {"--optim.learning_rate=-1",
       "--optim.learning_rate: optim.learning_rate is -1; expected a number of at least 0"},
  };
  for (const auto& [set, expected] : cases) expect_set_error(set, expected);
  expect_set_error("optim.learning_rate", "--set optim.learning_rate: expected key=value", 64);
  expect_set_error("=3", "--set =3: expected key=value", 64);
}

TEST_F(ConfigTest, SetParsesByDeclaredType) {
  const Options options =
      from_sets({"run.name=a = b, \"c\"", "data.standardize=true", "run.seed=5_000_000",
                 "optim.learning_rate=+1e-3", "model.hidden=[32, 16]", "optim.factors=0.5,1",
                 "optim.milestones=\"1,5 epochs\", '7 steps'", "train.batch=128", "data.test="});
  EXPECT_EQ(options.text("run.name"), "a = b, \"c\"");
  EXPECT_TRUE(options.flag("data.standardize"));
  EXPECT_EQ(options.integer("run.seed"), 5000000);
  EXPECT_EQ(options.real("optim.learning_rate"), 1e-3);
  EXPECT_EQ(options.integers("model.hidden"), (std::vector<std::int64_t>{32, 16}));
  EXPECT_EQ(options.reals("optim.factors"), (std::vector<double>{0.5, 1}));
  EXPECT_EQ(options.texts("optim.milestones"), (std::vector<std::string>{"1,5 epochs", "7 steps"}));
  EXPECT_EQ(options.text("train.batch"), "128");
  EXPECT_EQ(options.text("data.test"), "");
  EXPECT_FALSE(options.is_default("data.test"));
  EXPECT_TRUE(from_sets({"model.hidden="}).integers("model.hidden").empty());
  EXPECT_EQ(from_sets({"model.hidden=8"}).integers("model.hidden"), std::vector<std::int64_t>{8});
  EXPECT_EQ(from_sets({"run.seed=1", "run.seed=2"}).integer("run.seed"), 2);
  EXPECT_EQ(from_sets({"run.name=\"quoted\""}).text("run.name"), "quoted");
}

TEST_F(ConfigTest, TomlTypes) {
  const Options options = from_file(
      "\xef\xbb\xbf# with a byte order mark\r\n[train]\r\nbatch = 1_000\r\nepochs = 3\r\n"
      "[model]\r\nhidden = []\r\n[optim]\r\nfactors = [1, 0.5]\r\n[run]\r\nseed = 0x10\r\nname = "
      "0.5\r\n[data]\r\n");
  EXPECT_EQ(options.text("train.batch"), "1000");
  EXPECT_EQ(options.real("train.epochs"), 3.0);
  EXPECT_TRUE(options.integers("model.hidden").empty());
  EXPECT_EQ(options.reals("optim.factors"), (std::vector<double>{1, 0.5}));
  EXPECT_EQ(options.integer("run.seed"), 16);
  EXPECT_EQ(options.text("run.name"), "0.5");
  EXPECT_EQ(options.origin("train.batch"), path("run.toml") + ":3:9");
  EXPECT_EQ(options.origin("optim.l2"), "default");
  EXPECT_EQ(from_file("").integer("run.seed"), 1);
  EXPECT_EQ(from_file("optim.learning_rate = 1\nrun = {seed = 3}").integer("run.seed"), 3);
}

TEST_F(ConfigTest, LaterSourcesWin) {
  folder_.write("base.toml",
                "[run]\nname = \"base\"\nseed = 2\n[train]\nepochs = 2\n[optim]\nl2 = 2\nlearning_rate = 2");
  const std::string first = folder_.write(
      "first.toml", "extends = [\"base.toml\"]\n[run]\nseed = 3\n[train]\nepochs = 3\n[optim]\nl2 = 3\n");
  const std::string second = folder_.write("second.toml", "[train]\nepochs = 4\n[optim]\nl2 = 4\n");
  ::setenv("LOCKSTEP__OPTIM__L2", "5", 1);
  ::setenv("LOCKSTEP__OPTIM__LEARNING_RATE", "5", 1);
  const Options options = resolve_config(table_, {{first, second}, true, {"optim.learning_rate=6"}});
  const Options without = resolve_config(table_, {{first}, false, {}});
  ::unsetenv("LOCKSTEP__OPTIM__L2");
  ::unsetenv("LOCKSTEP__OPTIM__LEARNING_RATE");
  EXPECT_EQ(options.text("run.name"), "base");
  EXPECT_EQ(options.origin("run.name"), path("base.toml") + ":2:8");
  EXPECT_EQ(options.integer("run.seed"), 3);
  EXPECT_EQ(options.real("train.epochs"), 4);
  EXPECT_EQ(options.real("optim.l2"), 5);
  EXPECT_EQ(options.origin("optim.l2"), "LOCKSTEP__OPTIM__L2");
  EXPECT_EQ(options.real("optim.learning_rate"), 6);
  EXPECT_EQ(options.origin("optim.learning_rate"), "--set");
  EXPECT_EQ(without.real("optim.l2"), 3);
}

TEST_F(ConfigTest, WrongValuesAreFoundWhereALaterOneReplacesThem) {
  const std::string file = folder_.write("run.toml", "[optim]\nl2 = -3\n");
  EXPECT_EQ(error_of([&] { resolve_config(table_, {{file}, false, {"optim.l2=1"}}); }).first, 78);
  EXPECT_EQ(error_of([&] { from_sets({"run.seed=-1", "run.seed=2"}); }).first, 78);
}

TEST_F(ConfigTest, EnvironmentErrorsNameTheVariable) {
  ::setenv("LOCKSTEP__OPTIM__LR", "5", 1);
  const auto [code, message] = error_of([&] { resolve_config(table_, {}); });
  ::unsetenv("LOCKSTEP__OPTIM__LR");
  EXPECT_EQ(code, 78);
  EXPECT_EQ(message, "LOCKSTEP__OPTIM__LR: unknown key optim.lr; did you mean optim.learning_rate?");
}

TEST_F(ConfigTest, ExtendsIsRelativeAndMayNotTurnInACircle) {
  std::filesystem::create_directory(folder_.path() / "sub");
  folder_.write("sub/deep.toml", "extends = [\"../top.toml\"]\n");
  folder_.write("top.toml", "[run]\nseed = 9\n");
  EXPECT_EQ(resolve_config(table_, {{path("sub/deep.toml")}, false, {}}).integer("run.seed"), 9);
  folder_.write("top.toml", "extends = [\"sub/deep.toml\"]\n");
  const auto [code, message] = error_of([&] { resolve_config(table_, {{path("top.toml")}, false, {}}); });
  EXPECT_EQ(code, 78);
  EXPECT_NE(message.find("extends itself"), std::string::npos) << message;
  folder_.write("top.toml", "[run]\nsed = 9\n");
  EXPECT_NE(error_of([&] {
              resolve_config(table_, {{path("sub/deep.toml")}, false, {}});
            }).second.find("top.toml:2:1: unknown key run.sed"),
            std::string::npos);
}

TEST_F(ConfigTest, ResolvedConfigRunsAgainWithTheSameValues) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 50; ++i) {
    const double rate = std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 1000) - 500);
    const std::int64_t seed = static_cast<std::int64_t>(random() >> 1);
    const Options options = from_sets(
        {"optim.name=adam", "optim.learning_rate=" + to_literal(rate), "run.seed=" + std::to_string(seed),
         "run.name=\t\"q\\\" \x01 \x7f # é\n=", "optim.factors=" + to_literal(1.0 / (1 + i)) + ",1e-310",
         "optim.milestones=a,b c"});
    for (const bool with_origin : {false, true}) {
      const Options again = from_file(to_toml(options, with_origin));
      for (const OptionSpec& spec : table_.specs())
        ASSERT_EQ(again.value(spec.key), options.value(spec.key)) << spec.key << " of\n"
                                                                  << to_toml(options, with_origin);
      EXPECT_EQ(config_hash(again), config_hash(options));
    }
  }
  const std::string huge = to_literal(std::numeric_limits<double>::max());
  EXPECT_EQ(from_file("optim.l2 = " + huge).real("optim.l2"), std::numeric_limits<double>::max());
}

TEST_F(ConfigTest, ResolvedConfigHoldsOnlyKeysThatApply) {
  const std::string sgd = to_toml(Options(table_), false);
  EXPECT_EQ(sgd.find("beta1"), std::string::npos) << sgd;
  EXPECT_NE(sgd.find("[optim]\nname = \"sgd\"\nlearning_rate = 0.1\n"), std::string::npos) << sgd;
  const std::string adam = to_toml(from_sets({"optim.name=adam"}), true);
  EXPECT_NE(adam.find("name = \"adam\"  # --set\n"), std::string::npos) << adam;
  EXPECT_NE(adam.find("beta1 = 0.9  # default\n"), std::string::npos) << adam;
}

TEST_F(ConfigTest, AFolderStandsForItsConfig) {
  folder_.write("config.toml", "[run]\nseed = 4\n");
  EXPECT_EQ(resolve_config(table_, {{folder_.path().string()}, false, {}}).integer("run.seed"), 4);
}

TEST_F(ConfigTest, HashKnowsWhatDeterminesTheModel) {
  const std::uint64_t hash = config_hash(from_sets({}));
  for (const char* set :
       {"run.name=x", "log.progress=bar", "data.train=elsewhere.csv", "data.test=x", "data.valid=v.csv"})
    EXPECT_EQ(config_hash(from_sets({set})), hash) << set;
  for (const char* set : {"run.seed=2", "optim.l2=1e-300", "train.batch=1", "model.hidden=64,1",
                          "optim.name=adam", "data.valid=split:0.2"})
    EXPECT_NE(config_hash(from_sets({set})), hash) << set;
  EXPECT_EQ(config_hash(from_sets({"optim.l2=0"})), hash);
}

TEST_F(ConfigTest, ExplainTellsAll) {
  const std::string l2 = explain(table_, "optim.l2");
  for (const char* part :
       {"optim.l2 = 0.0\n  penalty\n", "a number of at least 0", "every run", "LOCKSTEP__OPTIM__L2",
        "C (LIBLINEAR, scikit-learn): l2 = 1 / (C * rows)", "alpha (scikit-learn's SGD): l2 = alpha",
        "weight_decay (PyTorch's SGD, Adam)", "must stay the same"})
    EXPECT_NE(l2.find(part), std::string::npos) << part << "\nis not in\n" << l2;
  EXPECT_NE(explain(table_, "optim.beta1").find("adam, adamw (chosen by optim.name)"), std::string::npos);
  EXPECT_NE(explain(table_, "model.activation").find("one of relu, tanh, sigmoid"), std::string::npos);
  EXPECT_NE(explain(table_, "run.name").find("may change"), std::string::npos);
  const auto [code, message] = error_of([&] { explain(table_, "optim.lr"); });
  EXPECT_EQ(code, 78);
  EXPECT_EQ(message, "config explain: unknown key optim.lr; did you mean optim.learning_rate?");
}

TEST_F(ConfigTest, ListNamesEveryKeyOnce) {
  const std::string all = list_options(table_);
  for (const OptionSpec& spec : table_.specs()) {
    const std::size_t at = all.find("--" + spec.key + " ");
    EXPECT_NE(at, std::string::npos) << spec.key;
    EXPECT_EQ(all.find("--" + spec.key + " ", at + 1), std::string::npos) << spec.key;
  }
  EXPECT_EQ(list_options(table_, "run.").find("optim"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
