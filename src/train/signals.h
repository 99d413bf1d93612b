// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace lockstep {

/// Makes SIGUSR1, SIGTERM and SIGINT set Trainer::stop_requested: the run saves at the next step boundary and
/// ends with code 75. A second SIGTERM or SIGINT ends the process at once.
void stop_on_signals();

}  // namespace lockstep
