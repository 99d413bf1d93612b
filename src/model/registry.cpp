// SPDX-License-Identifier: Apache-2.0
#include "model/registry.h"

#include "model/factorization_machine.h"
#include "model/linear_model.h"
#include "model/mlp.h"

namespace lockstep {

Registry<ModelRow> model_registry() {
  return {"model.name",
          {
              {"linear",
               "linear regression",
               {"squared", "huber", "absolute", "poisson", "*"},
               LinearModel::declare,
               LinearModel::create},
              {"logistic", "logistic regression", {"logistic"}, LinearModel::declare, LinearModel::create},
              {"softmax",
               "multinomial logistic regression",
               {"cross_entropy"},
               LinearModel::declare,
               LinearModel::create},
              {"svm",
               "linear support vector machine",
               {"hinge", "squared_hinge"},
               LinearModel::declare,
               LinearModel::create},
              {"fm",
               "factorization machine of degree 2",
               {"logistic", "*"},
               FactorizationMachine::declare,
               FactorizationMachine::create},
              {"mlp", "multi-layer perceptron", {"cross_entropy", "*"}, Mlp::declare, Mlp::create},
          }};
}

}  // namespace lockstep
