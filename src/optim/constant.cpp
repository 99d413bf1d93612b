// SPDX-License-Identifier: Apache-2.0
#include "optim/rows.h"

namespace lockstep {
namespace {

/// factor(t) = 1.
class Constant final : public Schedule {
 public:
  double factor(Index) const override { return 1; }
};

}  // namespace

ScheduleRow constant_row() {
  return {"constant", "The rate as it is", nullptr,
          [](const Options&, const RunLength&) -> std::unique_ptr<Schedule> {
            return std::make_unique<Constant>();
          }};
}

}  // namespace lockstep
