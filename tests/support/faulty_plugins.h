// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lockstep/core/view.h"
#include "lockstep/plugins.h"

namespace lockstep::testing {

/// A processor or a memory that goes wrong on one rank. Calls are counted per rank from 0.
struct Fault {
  int rank = -1;         ///< none
  Index first_call = 0;  ///< of Model::backward() or GradientReducer::publish()
  Index last_call = 1'000'000'000;
};

/// The built-in plug-ins, and
///   model.name = "faulty_softmax"   softmax whose backward() takes one bit of the scores' gradient for
///   another train.reduction = "faulty"      the canonical one, after whose publish() one bit of the weights
///   is another,
///                                   of the last tensor
///   train.reduction = "faulty_mpi"  the same of "mpi"
/// both where `fault` says so.
Plugins faulty_plugins(const Fault& fault);

/// Tells the plug-ins which rank this thread is, before they are made.
void be_rank(int rank);

}  // namespace lockstep::testing
