// SPDX-License-Identifier: Apache-2.0
#include "core/suggest.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

OptionTable table_of(const std::vector<std::string>& keys) {
  OptionTable table;
  for (const std::string& key : keys) table.text(key, "", "help");
  return table;
}

TEST(Suggest, NearestKnowsInsertionsDeletionsSubstitutionsAndSwaps) {
  const std::vector<std::string> known = {"train", "resume", "eval", "config"};
  EXPECT_EQ(nearest("trian", known), "train");
  EXPECT_EQ(nearest("rsume", known), "resume");
  EXPECT_EQ(nearest("evall", known), "eval");
  EXPECT_EQ(nearest("confih", known), "config");
  EXPECT_EQ(nearest("TRAIN", known), "train");
  EXPECT_EQ(nearest("zebra", known), "");
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest(std::string(100000, 'x'), known), "");
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(Suggest, KnowsKeysByTypingErrorTableAndNeighbour) {
  const OptionTable table =
      table_of({"optim.learning_rate", "optim.l2", "optim.weight_decay", "optim.momentum", "optim.name",
                "train.batch", "train.epochs", "train.steps", "model.hidden", "model.bias", "run.seed",
                "train.check_every", "checkpoint.every"});
  const std::pair<const char*, const char*> cases[] = {
      {"lr", "; did you mean optim.learning_rate?"},
      {"optim.lr", "; did you mean optim.learning_rate?"},  // not optim.l2, though that is nearer
      {"train.eta0", "; did you mean optim.learning_rate?"},
      {"batch_size", "; did you mean train.batch (global, over all ranks)?"},
      {"train.batch-size", "; did you mean train.batch (global, over all ranks)?"},
      {"alpha", "; did you mean optim.l2 (l2 = alpha)?"},
      {"C", "; did you mean optim.l2 (l2 = 1 / (C * rows))?"},
      {"l2_regularization", "; did you mean optim.l2 (l2 = 2 * the factor)?"},
      {"wd", "; did you mean optim.l2 (l2 = weight_decay)?"},
      {"weight_decay",
       "; did you mean optim.l2 (in the gradient, as SGD and Adam have it: l2 = weight_decay) or "
       "optim.weight_decay (decoupled, as AdamW has it)?"},
      {"epochs", "; did you mean train.epochs?"},
      {"n_epochs", "; did you mean train.epochs?"},
      {"hidden_layer_sizes", "; did you mean model.hidden?"},
      {"momentum", "; did you mean optim.momentum?"},
      {"num_workers", "; the workers are the ranks: `lockstep train -n P` or `mpirun -n P`"},
      {"train.nthreads", "; the workers are the ranks: `lockstep train -n P` or `mpirun -n P`"},
      {"random_state", "; did you mean run.seed?"},
      {"optim.momentm", "; did you mean optim.momentum?"},
      {"model.momentm", "; did you mean optim.momentum?"},
      {"optim.name.first", "; did you mean optim.name?"},
      {"Optim.Learning_Rate", "; did you mean optim.learning_rate?"},
      {"train.checkpoint_every", "; did you mean checkpoint.every?"},  // not train.check_every
      {"entirely.different", ""},
      {"", ""},
      {".", ""},
  };
  for (const auto& [unknown, expected] : cases) EXPECT_EQ(suggest_key(table, unknown), expected) << unknown;
}

TEST(Suggest, NeverNamesAKeyThatIsNotThere) {
  EXPECT_EQ(suggest_key(table_of({"run.seed"}), "lr"), "");
  EXPECT_EQ(suggest_key(OptionTable(), "lr"), "");
}

TEST(Suggest, NeighbourNamesAreWrittenAsTheyAreLookedUp) {
  for (const NeighbourName& neighbour : neighbour_names()) {
    EXPECT_EQ(neighbour.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"),
              std::string_view::npos)
        << neighbour.name;
    EXPECT_NE(neighbour.name, neighbour.key);
    EXPECT_TRUE(!neighbour.key.empty() || !neighbour.note.empty()) << neighbour.name;
  }
}

}  // namespace
}  // namespace lockstep
