// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cli/averaging.h"
#include "core/aligned.h"

namespace lockstep {

/// Medians over rounds for one averaging of `bytes` a rank.
struct AllreduceTimes {
  std::size_t bytes = 0;
  std::string transport;
  double lockstep_s = 0;  ///< from all inputs written to the sum readable for all
  double mpi_s = 0;
  double copy_s = 0;  ///< memcpy() of what a rank must read and write at least, on all ranks at once
  double ratio = 0;   ///< median of mpi / lockstep of the same round
};

/// One vector length. Before each averaging every rank writes its input anew, outside the clock: a gradient
/// never lies in the cache of another rank.
class AllreduceTrial {
 public:
  /// Collective.
  AllreduceTrial(Communicator& communicator, const Plugins& plugins, std::size_t bytes);

  /// Collective. Averages known whole numbers both ways. Throws an AgreedError(kDisagree) unless every
  /// element on every rank is the exact mean (or sum).
  void verify();
  /// Collective. Interleaved: each round measures everything once.
  AllreduceTimes measure(int rounds);

 private:
  void fill(Averaging& averaging) const;
  void verify(Averaging& averaging, const std::string& name) const;
  double seconds_of(Averaging& averaging, int loops);
  double copy_seconds(int loops);
  int loops_for(double seconds) const;
  double slowest(double seconds) const;

  Communicator& communicator_;
  bool is_one_node_;
  Index size_;
  std::unique_ptr<Averaging> own_, mpi_;
  std::vector<double> times_;
  AlignedVector<char> source_, target_;  // for the copy
};

}  // namespace lockstep
