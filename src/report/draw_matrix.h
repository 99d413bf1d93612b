// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "report/run_record.h"

namespace lockstep {

/// A square of cells, labels down, decisions across; a cell's strength is its share of the row. Numbers stand
/// in the cells where there is room. Returns an <svg>.
std::string draw_matrix(const std::vector<std::vector<double>>& matrix, const std::string& id,
                        const std::string& title, const std::string& text);

/// One bar a rank, divided by what its time went to. Returns an <svg>.
std::string draw_shares(const std::vector<RankSeconds>& ranks, const std::string& id,
                        const std::string& title, const std::string& text);

}  // namespace lockstep
