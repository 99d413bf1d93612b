// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "lockstep/comm/communicator.h"
#include "train/run_directory.h"
#include "train/trainer.h"

namespace lockstep {

/// Collective. Brings the trainer to the newest checkpoint that every rank can read, and drops what the run
/// wrote behind it; a run without a checkpoint begins anew, which gives the same model. One that a rank finds
/// damaged is passed over, which `tell` (rank 0) is told. `directory`: of rank 0. Throws AgreedError: kData
/// where no checkpoint is whole or the data are others, kConfig where they are of another experiment.
void resume_training(Communicator& communicator, const std::filesystem::path& run, RunDirectory* directory,
                     Trainer& trainer, const std::function<void(const std::string&)>& tell);

}  // namespace lockstep
