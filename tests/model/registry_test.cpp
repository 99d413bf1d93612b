// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "model/loss_registry.h"
#include "model/registry.h"

namespace lockstep {
TEST(Registry, EveryLossAModelNamesExists) {
  const auto models = model_registry();
  const auto losses = loss_registry();
  for (const ModelRow& model : models.rows())
    for (const std::string& loss : model.losses)
      if (loss != "*") {
        EXPECT_NO_THROW(losses.find(loss)) << model.name;
        EXPECT_EQ(resolve_loss(model, loss), loss);
      }
  EXPECT_EQ(resolve_loss(models.find("mlp"), "auto"), "cross_entropy");
  EXPECT_THROW(resolve_loss(models.find("softmax"), "squared"), Error);
}
}  // namespace lockstep
