// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/plugins.h"

namespace [[gnu::visibility("default")]] lockstep {

/// The tables of this library.
Plugins builtin_plugins();

/// The `lockstep` program with these plug-ins: parses the command line, runs the subcommand and returns the
/// exit code. `-n P` starts the calling executable again under mpirun.
int run(int argc, char** argv, const Plugins& plugins);

}  // namespace lockstep
