// SPDX-License-Identifier: Apache-2.0
#include "model/loss_registry.h"

#include <algorithm>

#include "model/loss_rows.h"

namespace lockstep {

Registry<LossRow> loss_registry() {
  return {"model.loss",
          {cross_entropy_loss(), logistic_loss(), hinge_loss(), squared_hinge_loss(), squared_loss(),
           huber_loss(), absolute_loss(), poisson_loss()}};
}

std::string resolve_loss(const ModelRow& model, const std::string& loss) {
  const auto& allowed = model.losses;
  if (loss == "auto" && !allowed.empty() && allowed.front() != "*") return allowed.front();
  const auto allows = [&](const char* name) {
    return std::find(allowed.begin(), allowed.end(), name) != allowed.end();
  };
  if (loss != "auto" && (allows(loss.c_str()) || allows("*"))) return loss;
  std::string known;
  for (const std::string& name : allowed)
    if (name != "*") known += (known.empty() ? "one of: " : ", ") + name;
  throw Error(ExitCode::kConfig, "model.loss = \"" + loss + "\" does not go with model.name = \"" +
                                     model.name + "\"; expected " +
                                     (known.empty() ? "the name of a loss" : known));
}

}  // namespace lockstep
