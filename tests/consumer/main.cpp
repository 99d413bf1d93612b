// SPDX-License-Identifier: Apache-2.0
#include <lockstep/run.h>

#include "log_cosh.h"
#include "quadratic.h"

int main(int argc, char** argv) {
  lockstep::Plugins plugins = lockstep::builtin_plugins();
  plugins.losses.add(log_cosh_row());
  plugins.models.add(quadratic_row());
  return lockstep::run(argc, argv, plugins);
}
