// SPDX-License-Identifier: Apache-2.0
#include "data/registry.h"

#include "data/demo.h"
#include "data/idx.h"

namespace lockstep {

namespace {

template <class Concrete>
std::unique_ptr<Format> make(const Options& options) {
  return std::make_unique<Concrete>(options);
}

template <class Concrete>
FormatRow row(std::string name, std::string summary) {
  return {std::move(name), std::move(summary), nullptr, make<Concrete>, Concrete::matches};
}

}  // namespace

Registry<FormatRow> format_registry() {
  return {"data.format",
          {row<DemoFormat>("demo", "rows made up from a seed, no file needed"),
           row<IdxFormat>("idx", "images and labels as in MNIST")}};
}

}  // namespace lockstep
