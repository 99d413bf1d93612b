// SPDX-License-Identifier: Apache-2.0
#include "lockstep/run.h"

int main(int argc, char** argv) {
  return lockstep::run(argc, argv, lockstep::builtin_plugins());
}
